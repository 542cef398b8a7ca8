using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Framework;
using Cluster.Bench.Server;

namespace Cluster.Bench.Messaging;

/// <summary>An <see cref="EchoSilo"/> in a process of its own, on a free port of 127.0.0.1; ends with its input.</summary>
internal sealed class EchoSiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private EchoSiloProcess(Process process, SiloAddress address)
    {
        _process = process;
        Address = address;
    }

    public SiloAddress Address { get; }

    public int Id => _process.Id;

    /// <exception cref="BenchmarkException">It did not start.</exception>
    /// <param name="certificates">The folder of <see cref="EchoCertificates"/>; null for connections without TLS.</param>
    public static async Task<EchoSiloProcess> StartAsync(string? certificates, CancellationToken cancellationToken)
    {
        var port = FreePorts.Take(1)[0];
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [EchoSilo.Command, port.ToString(CultureInfo.InvariantCulture), .. certificates is null ? [] : new[] { certificates }])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);
            return new EchoSiloProcess(process, SiloAddress.FromParsableString(line ?? throw new BenchmarkException("the silo ended at once")));
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
