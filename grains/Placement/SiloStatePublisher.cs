using System.Collections.Immutable;
using Cluster.Contracts.Options;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Repository;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Hosting;

namespace Cluster.Grains.Placement;

/// <summary>Publishes this silo's state when <see cref="PublishRule"/> says so, and takes it back at the end.</summary>
internal sealed class SiloStatePublisher : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private readonly Lock _lock = new();
    private readonly ISiloStates _states;
    private readonly ILocalSiloDetails _local;
    private readonly IClusterMembershipService _membership;
    private readonly ReplicaCache _cache;
    private readonly ReplicaMetricsFactory _metrics;
    private readonly SiloDraining _drain;
    private readonly RepositoryStanding _repository;
    private readonly SiloStateOptions _options;
    private readonly PublishOptions _publish;
    private readonly OnnxEnvironment _onnxRuntime;
    private readonly ImmutableSortedSet<string> _labels;
    private readonly RequestRate _rate;
    private readonly TimeProvider _time;
    private SiloState? _published;
    private long _publishedAt;
    private bool _ended;

    public SiloStatePublisher(
        ISiloStates states,
        ILocalSiloDetails local,
        IClusterMembershipService membership,
        ReplicaCache cache,
        ReplicaMetricsFactory metrics,
        SiloDraining drain,
        RepositoryStanding repository,
        SiloStateOptions options,
        PublishOptions publish,
        OnnxEnvironment onnxRuntime,
        TimeProvider time)
    {
        _states = states;
        _local = local;
        _membership = membership;
        _cache = cache;
        _metrics = metrics;
        _drain = drain;
        _repository = repository;
        _options = options;
        _publish = publish;
        _onnxRuntime = onnxRuntime;
        _labels = options.Labels.ToImmutableSortedSet(StringComparer.Ordinal);
        _rate = new RequestRate(time);
        _time = time;
        drain.Changed += Look;
        repository.Changed += Look;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Look();
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            _ended = true;
            _states.Remove(_local.SiloAddress);
        }
    }

    public override void Dispose()
    {
        _drain.Changed -= Look;
        _repository.Changed -= Look;
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookInterval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            Look();
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            var now = Read();
            if (!_ended && PublishRule.IsDue(_published, now, _time.GetElapsedTime(_publishedAt), _publish))
            {
                _published = now;
                _publishedAt = _time.GetTimestamp();
                _states.Publish(now);
            }
        }
    }

    private SiloState Read()
    {
        var cache = _cache.Read();
        return new SiloState
        {
            Silo = _local.SiloAddress,
            Capacity = cache.Capacity,
            Used = cache.Used + cache.Unloading,
            Copies = cache.Copies,
            OldestIdle = cache.OldestIdle,
            Loading = cache.Loading,
            RequestsPerMinute = _rate.Read(_metrics.RequestsStarted),
            Labels = _labels,
            Draining = _drain.HasBegun
                || _membership.CurrentSnapshot.GetSiloStatus(_local.SiloAddress) is SiloStatus.ShuttingDown or SiloStatus.Stopping,
            Disagrees = _repository.Problem is not null,
            Version = _options.Version,
            Devices = _onnxRuntime.OpenVino?.Devices ?? ImmutableSortedSet<string>.Empty,
            Runtime = _onnxRuntime.Versions,
        };
    }
}

/// <summary>What a silo says of itself.</summary>
public sealed class SiloStateOptions
{
    /// <summary>What the operator calls the silo. Default none.</summary>
    [SetBy("Cluster:Labels")]
    public ImmutableArray<string> Labels { get; set; } = [];

    /// <inheritdoc cref="SiloState.Version"/>
    [SetBy("")]
    public long Version { get; set; }
}

/// <summary>Requests in the last minute, from a total that is looked at now and then. Not safe for use by several threads.</summary>
internal sealed class RequestRate(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly Queue<(long At, long Total)> _looks = new();
    private long _last;

    /// <param name="total">Requests since the start of the process.</param>
    public double Read(long total)
    {
        var now = time.GetTimestamp();
        if (_looks.Count == 0 || time.GetElapsedTime(_last, now) >= Step)
        {
            _looks.Enqueue((now, total));
            _last = now;
        }

        // The oldest look that is kept is at least as old as the window, or the first one there was.
        while (_looks.Count > 1 && time.GetElapsedTime(_looks.ElementAt(1).At, now) >= Window)
        {
            _looks.Dequeue();
        }

        return total - _looks.Peek().Total;
    }
}
