using System.Globalization;
using System.Text.Json;
using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>Watches, through the gateway, which silos are members, and which processes run: what happened, in words.</summary>
internal sealed class Witness : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly TestCluster _cluster;
    private readonly Func<TimeSpan> _since;
    private readonly List<string> _seen = [];
    private readonly Dictionary<string, string> _names = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    /// <param name="before">The cluster before the fault.</param>
    /// <param name="since">The time since the fault.</param>
    public Witness(TestCluster cluster, ClusterView before, Func<TimeSpan> since)
    {
        _cluster = cluster;
        _since = since;
        _watching = Task.Run(() => WatchAsync([.. before.Active.Select(static node => node.Silo)]));
    }

    /// <summary>Looks no more.</summary>
    /// <returns>What happened, each with the seconds since the fault.</returns>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        return _seen;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WatchAsync(HashSet<string> active)
    {
        using var timer = new PeriodicTimer(Look);
        var ended = new HashSet<ClusterProcess>();
        while (!_stop.IsCancellationRequested)
        {
            Processes(ended);
            try
            {
                var now = (await _cluster.ViewAsync()).Active.Select(static node => node.Silo).ToHashSet();
                Members(active, now);
                active = now;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or JsonException)
            {
                Saw($"the gateway does not show the cluster ({error.GetType().Name})");
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private void Processes(HashSet<ClusterProcess> ended)
    {
        foreach (var silo in _cluster.Silos)
        {
            // A silo that was declared dead starts again in the same process, under another address.
            _names[silo.Silo] = silo.Name;
            if (silo.IsRunning ? ended.Remove(silo) : ended.Add(silo))
            {
                Saw(silo.IsRunning ? $"the process of {silo.Name} runs again" : $"the process of {silo.Name} has ended");
            }
        }
    }

    private void Members(HashSet<string> before, HashSet<string> now)
    {
        foreach (var silo in before.Except(now))
        {
            Saw($"{NameOf(silo)} is no active member");
        }

        foreach (var silo in now.Except(before))
        {
            Saw($"{NameOf(silo)} is a new member");
        }
    }

    // The log of a process may have told its address after the processes were looked at.
    private string NameOf(string silo) => _cluster.Silos.FirstOrDefault(process => process.Silo == silo)?.Name ?? _names.GetValueOrDefault(silo, silo);

    private void Saw(string what)
    {
        if (_seen.Count == 0 || !_seen[^1].EndsWith(what, StringComparison.Ordinal))
        {
            _seen.Add(string.Create(CultureInfo.InvariantCulture, $"{_since().TotalSeconds:0.0} s {what}"));
        }
    }
}
