using Cluster.Bench.Measurement;

namespace Cluster.Bench.Load;

/// <summary>
/// A load whose answers are checked: values before, after and a few times a second meanwhile by <see cref="InferCall.CheckAsync"/>, status and length of
/// each by <see cref="H2Load"/>.
/// </summary>
internal static class CheckedLoad
{
    /// <summary>How much longer each load of the warm-up is than the one before, at most.</summary>
    private const int MaxGrowth = 8;

    private static readonly TimeSpan BetweenChecks = TimeSpan.FromMilliseconds(250);

    /// <summary>A warm-up and a load.</summary>
    /// <inheritdoc cref="RunAsync(InferCall, int, LoadShape, IReadOnlyCollection{int}, CancellationToken)"/>
    public static async Task<LoadFigures> RunAsync(
        InferCall call, LoadShape shape, LoadPlan plan, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        var requests = await WarmUpAsync(call, shape, plan, serverProcesses, cancellationToken);
        return await RunAsync(call, requests, shape, serverProcesses, cancellationToken);
    }

    /// <summary>Loads that grow.</summary>
    /// <returns>How many requests last as long as planned.</returns>
    /// <exception cref="InvalidDataException">A request failed or was answered wrongly.</exception>
    public static async Task<int> WarmUpAsync(
        InferCall call, LoadShape shape, LoadPlan plan, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        for (var requests = shape.InFlight; ;)
        {
            var load = await RunAsync(call, requests, shape, serverProcesses, cancellationToken);
            if (load.Elapsed >= plan.WarmUp / 2)
            {
                return Math.Max(shape.InFlight, (int)(load.RequestsPerSecond * plan.Duration.TotalSeconds));
            }

            requests = (int)(requests * Math.Min(MaxGrowth, plan.WarmUp / load.Elapsed)) + 1;
        }
    }

    /// <param name="serverProcesses">Whose processor time to state; empty for none.</param>
    /// <exception cref="InvalidDataException">A request failed or was answered wrongly.</exception>
    public static async Task<LoadFigures> RunAsync(
        InferCall call, int requests, LoadShape shape, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        var answerBytes = await call.CheckAsync(cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var meter = new CpuMeter(serverProcesses);
        var checking = CheckAsync(call, stop.Token);
        try
        {
            var (elapsed, latencies) = await H2Load.RunAsync(call, requests, shape, answerBytes, cancellationToken);
            await stop.CancelAsync();
            var checks = await checking;
            var cpu = meter.Read();
            _ = await call.CheckAsync(cancellationToken);
            return LoadFigures.Of(elapsed, latencies, 1, cpu, checks);
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
