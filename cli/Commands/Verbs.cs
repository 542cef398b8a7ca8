using System.CommandLine;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary>What every verb has in common: how it reaches the server, how it writes, and how long it may take.</summary>
internal sealed class Verbs(Surroundings surroundings)
{
    public CommonOptions Options { get; } = new();

    /// <param name="isLimited">Whether the verb is to end by itself within <c>--timeout</c>; null for always.</param>
    public Command Create(string name, string help, Func<Session, ParseResult, CancellationToken, Task<int>> run, Func<ParseResult, bool>? isLimited = null)
    {
        var command = new Command(name, help);
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, run, isLimited?.Invoke(parsed) ?? true, cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Func<Session, ParseResult, CancellationToken, Task<int>> run, bool isLimited, CancellationToken cancellationToken)
    {
        var limit = TimeSpan.FromSeconds(parsed.GetValue(Options.Timeout));
        using var timeout = isLimited ? new CancellationTokenSource(limit, surroundings.Time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var session = Options.Open(parsed, surroundings);
        try
        {
            return await run(session, parsed, either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw CommandFailure.Failed($"the command was not done within {limit.TotalSeconds:0} s; what it asked for may still happen, and --timeout gives it more time");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What watches without an end is ended so.
            return isLimited ? ExitCodes.Failed : ExitCodes.Done;
        }
    }
}

/// <summary>One run of a verb.</summary>
internal sealed class Session(ClusterConnection connection, Printer output, Surroundings surroundings) : IDisposable
{
    private ClusterClient? _client;

    public ClusterConnection Connection { get; } = connection;

    public Printer Output { get; } = output;

    public Surroundings Surroundings { get; } = surroundings;

    public ClusterClient Client => _client ??= new ClusterClient(Connection, Surroundings.ConnectTimeout);

    public void Dispose() => _client?.Dispose();
}
