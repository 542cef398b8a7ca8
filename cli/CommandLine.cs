using System.CommandLine;
using System.CommandLine.Invocation;
using Cluster.Cli.Commands;
using Cluster.Cli.Documents;

namespace Cluster.Cli;

/// <summary>The command line <c>cluster</c>: docs/cli.md has its verbs.</summary>
public static class CommandLine
{
    /// <summary>A word that begins with @ is a word, not the name of a file with more of them.</summary>
    private static readonly ParserConfiguration Words = new() { ResponseFileTokenReplacer = null };

    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Surroundings surroundings, CancellationToken cancellationToken = default)
    {
        var root = Create(surroundings);
        var parsed = root.Parse(arguments, Words);
        if (parsed.Action is ParseErrorAction)
        {
            return await RefuseAsync(parsed, surroundings.Error);
        }

        try
        {
            var configuration = new InvocationConfiguration { Output = surroundings.Output, Error = surroundings.Error, EnableDefaultExceptionHandler = false };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (CommandFailure failure)
        {
            await surroundings.Error.WriteLineAsync($"error: {PlainText.Of(failure.Message)}");
            return failure.ExitCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or HttpIOException)
        {
            await surroundings.Error.WriteLineAsync("error: the connection broke off before the answer was whole; what was asked for may have been done");
            return ExitCodes.NotReachable;
        }
    }

    private static RootCommand Create(Surroundings surroundings)
    {
        var verbs = new Verbs(surroundings);
        var root = new RootCommand("Shows and changes what a cluster serves, over a gateway's REST and gRPC-Web.")
        {
            GetCommand.Create(verbs),
            DescribeCommand.Create(verbs),
            ModelCommands.CreateLoad(verbs),
            ModelCommands.CreateUnload(verbs),
            ScaleCommand.Create(verbs),
            ModelCommands.CreateRegister(verbs),
            ModelCommands.CreateUnregister(verbs),
            AliasCommand.Create(verbs),
            TrafficCommands.CreateRollback(verbs),
            ApplyCommands.CreateApply(verbs),
            ApplyCommands.CreateDiff(verbs),
            DrainCommands.CreateDrain(verbs),
            DrainCommands.CreateUndrain(verbs),
            InferCommand.Create(verbs),
            BenchCommand.Create(verbs),
            TopCommand.Create(verbs),
            EventsCommand.Create(verbs),
            WhyCommand.Create(verbs),
            DoctorCommand.Create(verbs),
            CompletionCommand.Create(surroundings),
        };
        verbs.Options.AddTo(root);
        return root;
    }

    private static async Task<int> RefuseAsync(ParseResult parsed, TextWriter error)
    {
        foreach (var mistake in parsed.Errors)
        {
            await error.WriteLineAsync($"error: {PlainText.Of(mistake.Message)}");
        }

        var command = parsed.CommandResult.Command;
        if (command.Subcommands.Count > 0)
        {
            await error.WriteLineAsync($"expected one of {string.Join(", ", command.Subcommands.Select(static verb => verb.Name))}");
        }

        var path = new List<string>();
        for (var at = parsed.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
        {
            path.Insert(0, at.Command is RootCommand ? "cluster" : at.Command.Name);
        }

        await error.WriteLineAsync($"See {string.Join(' ', path)} --help and docs/cli.md.");
        return ExitCodes.Usage;
    }
}

/// <summary>What the command line has of its process.</summary>
/// <param name="Variable">A variable of the environment; null where it is not set.</param>
/// <param name="Width">Of the terminal; null where the output is none.</param>
public sealed record Surroundings(TextWriter Output, TextWriter Error, Stream Input, Func<string, string?> Variable, TimeProvider Time, int? Width)
{
    /// <summary>A terminal that does not tell its width is written as none.</summary>
    public int? Width { get => field > 0 ? field : null; init; } = Width;

    /// <summary>How long a connection may take, its TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public static Surroundings OfProcess() => new(
        Console.Out,
        Console.Error,
        Console.OpenStandardInput(),
        Environment.GetEnvironmentVariable,
        TimeProvider.System,
        Console.IsOutputRedirected ? null : Console.WindowWidth);
}

/// <summary>How a command ended, as the process tells it.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int NotReachable = 2;
    public const int Usage = 64;
}

/// <summary>The failure of a command. The message is for its user.</summary>
internal sealed class CommandFailure(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    public static CommandFailure Usage(string message, Exception? inner = null) => new(ExitCodes.Usage, message, inner);

    public static CommandFailure Failed(string message, Exception? inner = null) => new(ExitCodes.Failed, message, inner);

    public static CommandFailure NotReachable(string message, Exception? inner = null) => new(ExitCodes.NotReachable, message, inner);

    /// <summary>The same failure with a longer message.</summary>
    public CommandFailure Because(string longer) => new(ExitCode, longer, this);
}
