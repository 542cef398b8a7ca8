using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cache;

/// <summary>Carries out what a silo's <see cref="ModelCache"/> decides: has replicas end, has loads wait, counts and tells. Safe from any thread.</summary>
internal sealed class ReplicaCache
{
    private readonly ModelCache _books;
    private readonly ReplicaSizes _sizes;
    private readonly ModelCacheOptions _options;
    private readonly CacheMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ReplicaCache> _logger;

    public ReplicaCache(ModelCacheOptions options, CacheMetrics metrics, TimeProvider time, ILogger<ReplicaCache> logger)
    {
        _options = options;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _books = new ModelCache(options, time);
        _sizes = new ReplicaSizes(options);
        _metrics.Update(_books);
    }

    public CacheSnapshot Read() => _books.Read();

    /// <inheritdoc cref="ModelCache.ReadBytes"/>
    public CacheBytes ReadBytes() => _books.ReadBytes();

    /// <summary>What a replica will take, in bytes: measured if this silo has loaded the content before.</summary>
    public long Predict(string model, ModelVersionSource source) => _sizes.Predict(model, source);

    /// <summary>What a replica will take by its files alone, in bytes.</summary>
    public long Declared(ModelVersionSource source) => _sizes.Declared(source);

    /// <summary>Claims room for a load that no caller waits for; false where others would have to go for it. Give it back with <see cref="EndClaim"/>.</summary>
    public bool TryClaim(ModelReplicaId id, ModelVersionSource source, out CacheEntry? claim)
    {
        var decision = _books.Claim(id.ToString(), _sizes.Predict(id.Model, source));
        claim = (decision as CacheDecision.Granted)?.Entry;
        _metrics.Update(_books);

        // The load of a replica that is too large finds that out, and fails as other loads fail.
        return decision is not CacheDecision.Refused { Reason: CacheRefusal.Full };
    }

    /// <summary>Gives a claim back if its load did not begin.</summary>
    public void EndClaim(CacheEntry? claim)
    {
        if (claim is not null)
        {
            CarryOut(_books.ReleaseClaim(claim));
        }
    }

    /// <summary>Returns once there is room for a replica to be loaded; it is taken until <see cref="Release"/>.</summary>
    /// <param name="evict">What ends the replica, called from any thread once its room is wanted by others.</param>
    /// <exception cref="ServingException">
    /// RESOURCE_EXHAUSTED with a retry hint: the loaded replicas are too much in use, or none may go. UNAVAILABLE: the replica is larger than the cache.
    /// </exception>
    public async Task<CacheEntry> AdmitAsync(ModelReplicaId id, ReplicaSpec spec, Action evict, CancellationToken cancellationToken)
    {
        switch (_books.Reserve(id.ToString(), _sizes.Predict(id.Model, spec.Source), spec.Owner, spec.FreeRoomOnly))
        {
            case CacheDecision.Granted granted:
                granted.Entry.Evict = evict;
                _metrics.Update(_books);
                return granted.Entry;
            case CacheDecision.Waits waits:
                waits.Entry.Evict = evict;
                End(waits.Evicted, waits.Entry.Key);
                await WaitForRoomAsync(id, waits.Entry, cancellationToken).ConfigureAwait(false);
                return waits.Entry;
            case CacheDecision.Refused refused:
                End(refused.Evicted, id.ToString());
                throw Refuse(id, refused);
            default:
                throw new InvalidOperationException($"{id} is in the cache already");
        }
    }

    /// <summary>Puts down what a loaded replica really takes, and has others end for it where that is more than was predicted.</summary>
    /// <exception cref="ServingException">UNAVAILABLE: it is larger than the whole cache. The caller unloads it and then calls <see cref="Release"/>.</exception>
    public void Loaded(CacheEntry entry, string model, ModelVersionSource source, long sessionBytes, TimeSpan loadTime)
    {
        var bytes = _sizes.Measure(model, source, sessionBytes);
        if (bytes > _options.Capacity)
        {
            _metrics.Refused(CacheRefusal.TooLarge);
            throw TooLarge(bytes);
        }

        var predicted = entry.Bytes;
        CarryOut(_books.Loaded(entry, bytes, loadTime), entry.Key);
        if (_books.ReadBytes() is { Deficit: > 0 } now)
        {
            Log.OverCapacity(_logger, entry.Key, bytes, predicted, now.Deficit);
        }
    }

    /// <summary>Puts down what a loaded replica and a run of it take now. Others end for it where that is more than before; a replica is never too large to stay.</summary>
    /// <param name="sessionBytes">What every replica of it takes.</param>
    /// <param name="ownBytes">What this one takes beside that.</param>
    public void Resized(CacheEntry entry, string model, ModelVersionSource source, long sessionBytes, long ownBytes)
    {
        var bytes = Math.Min(_sizes.Measure(model, source, sessionBytes) + ownBytes, _options.Capacity);
        CarryOut(_books.Resized(entry, bytes), entry.Key);
    }

    /// <summary>A replica takes no more requests; its room stays taken.</summary>
    public void BeginUnload(CacheEntry entry)
    {
        _books.BeginUnload(entry);
        _metrics.Update(_books);
    }

    /// <summary>A replica is unloaded, or its load failed.</summary>
    public void Release(CacheEntry entry) => CarryOut(_books.Release(entry));

    /// <inheritdoc cref="ModelCache.Weigh"/>
    public void Weigh(CallerShare owner) => _books.Weigh(owner);

    /// <summary>Forgets a model that is gone from the repository.</summary>
    public void Forget(string model) => _sizes.Forget(model);

    private async Task WaitForRoomAsync(ModelReplicaId id, CacheEntry entry, CancellationToken cancellationToken)
    {
        bool granted;
        try
        {
            granted = await entry.Admission.Task.WaitAsync(_options.RoomTimeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            Release(entry);
            if (exception is OperationCanceledException)
            {
                throw;
            }

            Log.NoRoomInTime(_logger, entry.Key, entry.Bytes, _options.RoomTimeout.TotalSeconds);
            granted = false;
        }

        if (!granted)
        {
            throw Refuse(id, new CacheDecision.Refused(CacheRefusal.Busy, entry.Bytes, _books.Read().ChurnAge, []));
        }
    }

    private void CarryOut(CacheChange change, string by = "")
    {
        foreach (var refused in change.Refused)
        {
            refused.Admission.TrySetResult(false);
        }

        End(change.Evicted, by);
        foreach (var granted in change.Granted)
        {
            granted.Admission.TrySetResult(true);
        }
    }

    private void End(IEnumerable<CacheEntry> evicted, string by)
    {
        foreach (var entry in evicted)
        {
            var idle = entry.IdleTime;
            _metrics.Evicted(idle);
            Log.Evicts(_logger, entry.Key, entry.Bytes, Math.Round(idle.TotalSeconds, 3), by.Length > 0 ? by : "loads that wait");
            entry.Evict!();
        }

        _metrics.Update(_books);
    }

    private ServingException Refuse(ModelReplicaId id, CacheDecision.Refused refused)
    {
        _metrics.Refused(refused.Reason);
        if (refused.Reason == CacheRefusal.TooLarge)
        {
            return TooLarge(refused.Bytes);
        }

        var retryAfter = refused.RetryAfter ?? TimeSpan.FromSeconds(1);
        Log.NoRoom(_logger, id.Model, id.Version, refused.Bytes, refused.Reason, Math.Round(retryAfter.TotalMilliseconds));
        var why = refused.Reason switch
        {
            CacheRefusal.Churn => "was used too recently to be unloaded",
            CacheRefusal.Full => "stays while other silos have room",
            _ => "is running or being loaded",
        };
        return new ServingException(Failure.Exhausted(
            string.Create(
                CultureInfo.InvariantCulture,
                $"model '{id.Model}' version {id.Version} is not in memory, and what is loaded {why}: it needs {refused.Bytes} of {_options.Capacity} bytes"),
            retryAfter));
    }

    private ServingException TooLarge(long bytes) => new(Failure.Unavailable(
        string.Create(CultureInfo.InvariantCulture, $"it needs {bytes} bytes, more than the capacity of {_options.Capacity} bytes"), LoadFailures.RetryAfter));
}
