using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Cluster.Tests.Common;
using Google.Protobuf;

namespace Cluster.Deploy.Support;

/// <summary>A client that has the addresses of all gateways, grpcio in a process of its own, under a load of so many requests a second.</summary>
internal sealed class GatewayList : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private GatewayList(Process process) => (_process, _output, _errors) = (process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());

    public static async Task<GatewayList> StartAsync(string root, IEnumerable<int> ports, IReadOnlyList<LoadTarget> targets, double rate)
    {
        var program = Path.Combine(root, "tests", "Deploy", "Clients", "load_grpc.py");
        string[] arguments = [program, rate.ToString(CultureInfo.InvariantCulture), .. ports.Select(static port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"))];
        var load = new GatewayList(Process.Start(new ProcessStartInfo("/usr/bin/python3", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!);
        foreach (var target in targets)
        {
            var request = GrpcInferClient.Request(target.Model, [RawTensor.Fp32("X", [1], [0f])]).ToByteArray();
            await load._process.StandardInput.WriteLineAsync(Convert.ToHexString(request));
        }

        await load._process.StandardInput.WriteLineAsync();
        await load._process.StandardInput.FlushAsync();
        return load;
    }

    /// <summary>Sends no more requests, and waits for the answers.</summary>
    /// <exception cref="InvalidOperationException">The client failed.</exception>
    public async Task<ListedReport> StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode == 0
            ? JsonSerializer.Deserialize<ListedReport>(await _output, Json)!
            : throw new InvalidOperationException(await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}

/// <param name="Failures">Some of them.</param>
internal sealed record ListedReport(int Requests, int Failed, double SlowestMs, IReadOnlyList<string> Failures);
