using System.Text.RegularExpressions;

namespace Cluster.Tests.Common;

/// <summary>
/// A silo or a gateway in a process of its own, ended by its id. What it is and where it serves is read from its log, the latest word counting: a silo
/// that was declared dead starts again in the same process.
/// </summary>
/// <param name="name">For people, such as <c>silo 2</c>.</param>
/// <param name="arguments">The server's.</param>
/// <param name="network">The network namespace to run in; null for this process' own.</param>
/// <param name="settings">Options as variables of the environment, such as <c>Cache__ChurnLoadTimes=3</c>; null for none.</param>
/// <param name="program">The <c>cluster-silo</c> of another build; null for the one that was built with the tests.</param>
public sealed partial class ClusterProcess(string name, IEnumerable<string> arguments, string? network = null, IReadOnlyList<string>? settings = null, string? program = null)
    : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly IReadOnlyList<string> _command =
        [.. network is null ? Array.Empty<string>() : ["ip", "netns", "exec", network], "env", .. settings ?? [], program ?? ServerProcess.Program, .. arguments];
    private ChildProcess? _process;

    public string Name => name;

    public int Id => _process!.Id;

    public bool IsRunning => _process is { IsRunning: true };

    public int ExitCode => _process!.ExitCode;

    /// <summary>Where it serves HTTP: <c>http://address:port</c>.</summary>
    public string HttpUrl { get; private set; } = "";

    /// <summary>A gateway's <c>address:port</c> of gRPC.</summary>
    public string GrpcTarget { get; private set; } = "";

    /// <summary>A silo's address as <c>GET /v2/cluster</c> has it: <c>address:port@generation</c>.</summary>
    public string Silo { get; private set; } = "";

    /// <inheritdoc cref="ChildProcess.Tail"/>
    public string Tail(int lines) => _process?.Tail(lines) ?? "";

    /// <summary>Starts the process, again if it has ended, and waits until it serves.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await DisposeAsync();
        _process = ChildProcess.Start(_command, Read);
        await _process.LineAsync(Serves(), StartTimeout, cancellationToken);
    }

    /// <inheritdoc cref="ChildProcess.KillAsync"/>
    public Task KillAsync() => _process!.KillAsync();

    /// <inheritdoc cref="ChildProcess.Terminate"/>
    public void Terminate() => _process!.Terminate();

    /// <inheritdoc cref="ChildProcess.Suspend"/>
    public void Suspend() => _process!.Suspend();

    /// <inheritdoc cref="ChildProcess.Resume"/>
    public void Resume() => _process!.Resume();

    /// <inheritdoc cref="ChildProcess.WaitForExitAsync"/>
    public Task WaitForExitAsync(TimeSpan timeout) => _process!.WaitForExitAsync(timeout);

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    [GeneratedRegex(
        @"Silo S(?<address>[^ ]+):(?<generation>\d+) of cluster .* metrics and health on (?<http>http://[^ ,]+),|"
        + "Gateway serving REST on (?<http>https?://[^ ]+) and gRPC on https?://(?<grpc>[^ ]+) for")]
    private static partial Regex Serves();

    private void Read(string line)
    {
        if (Serves().Match(line) is { Success: true } found)
        {
            HttpUrl = found.Groups["http"].Value;
            GrpcTarget = found.Groups["grpc"].Value;
            Silo = found.Groups["address"] is { Success: true } address ? $"{address.Value}@{found.Groups["generation"].Value}" : "";
        }
    }
}
