using Cluster.Bench.Measurement;

namespace Cluster.Bench.Load;

/// <summary>
/// A load whose answers are checked: values before, after and a few times a second meanwhile by <see cref="InferCall.CheckAsync"/>, status and length of
/// each by <see cref="H2Load"/>.
/// </summary>
internal static class CheckedLoad
{
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromMilliseconds(250);

    /// <param name="serverProcesses">Whose processor time to state; empty for none.</param>
    /// <exception cref="InvalidDataException">A request failed or was answered wrongly.</exception>
    public static async Task<LoadFigures> RunAsync(
        InferCall call, int requests, int connections, int streams, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        var answerBytes = await call.CheckAsync(cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var meter = new CpuMeter(serverProcesses);
        var checking = CheckAsync(call, stop.Token);
        try
        {
            var (elapsed, latencies) = await H2Load.RunAsync(call, requests, connections, streams, answerBytes, cancellationToken);
            await stop.CancelAsync();
            var checks = await checking;
            var cpu = meter.Read();
            _ = await call.CheckAsync(cancellationToken);
            return LoadFigures.Of(elapsed, latencies, cpu, checks);
        }
        finally
        {
            await stop.CancelAsync();
            await checking;
        }
    }

    private static async Task<long> CheckAsync(InferCall call, CancellationToken stop)
    {
        for (var checks = 0L; ; checks++)
        {
            await Task.Delay(BetweenChecks, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                return checks;
            }

            // One that has begun is waited for: its answer counts.
            _ = await call.CheckAsync(CancellationToken.None);
        }
    }
}
