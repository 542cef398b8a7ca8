using System.Collections.Immutable;
using Cluster.Grains.Cache;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Hosting;

namespace Cluster.Grains.Cluster;

/// <summary>Publishes this silo's state when it has changed by enough, see <see cref="PublishRule"/>.</summary>
internal sealed class SiloStatePublisher(
    ISiloStates states, LocalCopies copies, CopyCache cache, ILocalSiloDetails local, ClusterOptions cluster, PublishOptions options, TimeProvider time) : IHostedService, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<(long At, long Requests)> _requests = new();
    private ITimer? _timer;
    private SiloState? _published;
    private long _publishedAt;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Publish();
        _timer = time.CreateTimer(static self => ((SiloStatePublisher)self!).PublishIfDue(), this, options.MinInterval, options.MinInterval);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>Publishes the state as it is now.</summary>
    public void Publish()
    {
        lock (_lock)
        {
            PublishLocked(ReadLocked());
        }
    }

    private void PublishIfDue()
    {
        lock (_lock)
        {
            var now = ReadLocked();
            if (PublishRule.IsDue(_published, now, time.GetElapsedTime(_publishedAt), options))
            {
                PublishLocked(now);
            }
        }
    }

    private void PublishLocked(SiloState now)
    {
        _published = now;
        _publishedAt = time.GetTimestamp();
        states.Publish(now);
    }

    private SiloState ReadLocked()
    {
        var books = cache.Read();
        return new SiloState
        {
            Silo = local.SiloAddress,
            Capacity = books.Capacity,
            Used = books.Used + books.Unloading + books.Waiting,
            Copies = books.Copies,
            OldestIdle = books.OldestIdle,
            Loading = books.Loading,
            RequestsPerMinute = RequestsPerMinuteLocked(),
            Labels = cluster.Labels.ToImmutableSortedSet(StringComparer.Ordinal),
            Draining = copies.IsDraining,
        };
    }

    /// <summary>Over the last minute, as far as it was watched. Copies that went take their requests with them, which only makes the silo seem less busy.</summary>
    private double RequestsPerMinuteLocked()
    {
        var now = time.GetTimestamp();
        var requests = copies.All.Sum(static copy => copy.Activity?.Requests ?? 0);
        _requests.Enqueue((now, requests));
        while (_requests.Count > 1 && time.GetElapsedTime(_requests.Peek().At) > TimeSpan.FromMinutes(1))
        {
            _requests.Dequeue();
        }

        var (since, before) = _requests.Peek();
        var minutes = time.GetElapsedTime(since).TotalMinutes;
        return minutes > 0 ? Math.Max(0, requests - before) / minutes : 0;
    }
}
