using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Cluster.Tests.Common;

/// <summary>A server in a process of its own, on free ports of 127.0.0.1, as an operator starts it. Ended by its id on disposal.</summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;

    private ServerProcess(ChildProcess process) => _process = process;

    /// <summary>The server that was built with the tests, compiled ahead as operators run it.</summary>
    public static string Program { get; } = typeof(ServerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static item => item.Key == "Program").Value!;

    public int Id => _process.Id;

    public int HttpPort { get; private set; }

    public int GrpcPort { get; private set; }

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public string HttpUrl => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{HttpPort}");

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string GrpcTarget => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{GrpcPort}");

    public bool HasExited => !_process.IsRunning;

    public int ExitCode => _process.ExitCode;

    /// <inheritdoc cref="ChildProcess.Output"/>
    public string Output => _process.Output;

    /// <summary>Starts a server and waits until it has tried every model.</summary>
    public static Task<ServerProcess> StartAsync(params string[] arguments) => StartProgramAsync(Program, arguments);

    /// <summary>Starts a server of another build and waits until it has tried every model.</summary>
    /// <param name="program">Its <c>cluster-silo</c>.</param>
    /// <param name="arguments">Its options but the ports.</param>
    public static async Task<ServerProcess> StartProgramAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken = default)
    {
        var server = new ServerProcess(ChildProcess.Start([program, .. arguments, "--http-port", "0", "--grpc-port", "0"]));
        try
        {
            var ports = (await server._process.LineAsync(Addresses(), StartTimeout, cancellationToken)).Groups;
            (server.HttpPort, server.GrpcPort) = (
                int.Parse(ports[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(ports[2].ValueSpan, CultureInfo.InvariantCulture));
            await server._process.LineAsync(Ready(), StartTimeout, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a server that is expected to end by itself; returns its exit code and what it wrote.</summary>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(params string[] arguments)
    {
        await using var process = ChildProcess.Start([Program, .. arguments]);
        await process.WaitForExitAsync(StartTimeout);
        return (process.ExitCode, process.Output);
    }

    /// <inheritdoc cref="ChildProcess.Terminate"/>
    public void Terminate() => _process.Terminate();

    /// <inheritdoc cref="ChildProcess.WaitForExitAsync"/>
    public Task WaitForExitAsync(TimeSpan timeout) => _process.WaitForExitAsync(timeout);

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"Serving REST on http://[^ ]*:(\d+) and gRPC on http://[^ ]*:(\d+),")]
    private static partial Regex Addresses();

    [GeneratedRegex("Ready: ")]
    private static partial Regex Ready();
}
