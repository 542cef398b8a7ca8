using System.Collections.Concurrent;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>The data connections between silos of one test, all of them in this process.</summary>
internal sealed class FakeNetwork(TimeProvider time)
{
    private readonly ConcurrentDictionary<SiloAddress, Prober> _probers = new();
    private readonly ConcurrentDictionary<SiloAddress, bool> _killed = new();
    private readonly ConcurrentDictionary<SiloAddress, bool> _suspended = new();
    private volatile HashSet<SiloAddress> _island = [];

    public ISiloProber ProberOf(SiloAddress silo) => _probers.GetOrAdd(silo, _ => new Prober(this, silo));

    /// <summary>As kill -9: the port is closed, and connections to it are reset at once.</summary>
    public void Kill(SiloAddress silo, bool withReset = true)
    {
        _killed[silo] = true;
        foreach (var prober in withReset ? _probers.Values : [])
        {
            prober.Lose(silo);
        }
    }

    /// <summary>As SIGSTOP: connections stay, nothing answers.</summary>
    public void Suspend(SiloAddress silo) => _suspended[silo] = true;

    public void Resume(SiloAddress silo) => _suspended.TryRemove(silo, out _);

    public bool IsSuspended(SiloAddress silo) => _suspended.ContainsKey(silo);

    /// <summary>Cuts these silos off from the others; all of them go on reaching the table.</summary>
    public void Isolate(params SiloAddress[] silos) => _island = [.. silos];

    private bool Connected(SiloAddress one, SiloAddress other) =>
        _island.Contains(one) == _island.Contains(other) && !IsSuspended(one) && !IsSuspended(other);

    private async ValueTask<ProbeOutcome> ProbeAsync(SiloAddress from, SiloAddress to, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (Connected(from, to))
        {
            return _killed.ContainsKey(to) ? ProbeOutcome.Refused : ProbeOutcome.Alive;
        }

        await Task.Delay(timeout, time, cancellationToken);
        return ProbeOutcome.TimedOut;
    }

    private sealed class Prober(FakeNetwork network, SiloAddress self) : ISiloProber
    {
        public event Action<SiloAddress>? ConnectionLost;

        public void Lose(SiloAddress silo) => ConnectionLost?.Invoke(silo);

        public ValueTask<ProbeOutcome> ProbeAsync(SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken) =>
            network.ProbeAsync(self, target, timeout, cancellationToken);

        public async ValueTask<ProbeOutcome?> ProbeThroughAsync(
            SiloAddress intermediary, SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken) =>
            await network.ProbeAsync(self, intermediary, timeout, cancellationToken) == ProbeOutcome.Alive
                ? await network.ProbeAsync(intermediary, target, timeout, cancellationToken)
                : null;
    }
}
