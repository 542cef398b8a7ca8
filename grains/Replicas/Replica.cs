using System.Globalization;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;

namespace Cluster.Grains.Replicas;

/// <summary>A loaded session with its queue, its room in the silo's memory and its statistics. Safe from any thread, so that gateways of this process call it directly.</summary>
internal sealed class Replica : IReplica
{
    /// <summary>When what found too many large messages is worth another try: some have been answered by then.</summary>
    private static readonly TimeSpan NextTry = TimeSpan.FromSeconds(1);

    private readonly LoadedModel _model;
    private readonly CacheEntry _room;
    private readonly ReplicaCache _cache;
    private readonly ReplicaQueue _queue;
    private readonly ReplicaMetrics _metrics;
    private readonly ReplicaStatisticsRecorder _statistics;
    private readonly ResponseCache? _responses;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private Task? _end;

    public Replica(
        ModelReplicaId id,
        LoadedModel model,
        CacheEntry room,
        ReplicaCache cache,
        ReplicaQueue queue,
        ReplicaMetrics metrics,
        ReplicaStatisticsRecorder statistics,
        ResponseCache? responses,
        TimeProvider time,
        ModelDescription description)
    {
        Id = id;
        _model = model;
        _room = room;
        _cache = cache;
        _queue = queue;
        _metrics = metrics;
        _statistics = statistics;
        _responses = responses;
        _time = time;
        Description = description;
    }

    public ModelReplicaId Id { get; }

    public ModelDescription Description { get; }

    public ReplicaStatistics Statistics => _end is null ? _statistics.Read() with { Providers = [_model.Provider] } : _statistics.Read();

    /// <inheritdoc/>
    public bool HasRoom => _queue.HasRoom;

    /// <inheritdoc/>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (!request.Message.TryTake())
        {
            return ValueTask.FromResult(InferReply.Failed(Failure.Cancelled("the caller gave up before the request could run")));
        }

        var hasRoom = OnnxAllocator.HasRoomForMessage(request.Message.Length);
        if (hasRoom && _room.TryPin())
        {
            if (_room.IsOutweighed(request.Share))
            {
                _cache.Weigh(request.Share);
            }

            return InferPinnedAsync(request, cancellationToken);
        }

        request.Message.Dispose();
        return ValueTask.FromResult(InferReply.Failed(hasRoom ? NotLoaded(Id) : TooManyBytes()));
    }

    /// <summary>The answer to callers of a replica that is not loaded.</summary>
    public static Failure NotLoaded(ModelReplicaId id) =>
        Failure.Moved(string.Create(CultureInfo.InvariantCulture, $"replica {id.Number} of model '{id.Model}' version {id.Version} is not loaded"));

    private Failure TooManyBytes() => Failure.Exhausted(
        string.Create(CultureInfo.InvariantCulture, $"the silo of model '{Id.Model}' version {Id.Version} holds as many large messages as it may"), NextTry);

    /// <summary>Takes no more requests, answers those that it has taken, and gives its memory back. A second call waits for the first.</summary>
    /// <param name="sendsAway">Whether what waits is to go to another replica.</param>
    public Task EndAsync(bool sendsAway = false)
    {
        lock (_lock)
        {
            return _end ??= EndOnceAsync(sendsAway);
        }
    }

    private async Task EndOnceAsync(bool sendsAway)
    {
        // The memory of runs that do not end is not about to come free, so no load waits for it.
        var isHeld = (sendsAway || _queue.Watch.Stuck > 0) && _room.TryPin();
        if (!isHeld)
        {
            _cache.BeginUnload(_room);
        }

        await _queue.DrainAsync(sendsAway).ConfigureAwait(false);
        if (isHeld)
        {
            _cache.BeginUnload(_room);
            _room.Unpin();
        }

        _model.Dispose();
        _cache.Release(_room);
        _metrics.Dispose();
    }

    /// <summary>Gives up the message that was taken, and the room that was pinned.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<InferReply> InferPinnedAsync(InferRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var reply = _responses is null
                ? await _queue.EnqueueAsync(request, cancellationToken).ConfigureAwait(false)
                : await FindOrRunAsync(_responses, request, cancellationToken).ConfigureAwait(false);
            return reply.Succeeded && cancellationToken.IsCancellationRequested ? GiveUp(reply.Message) : reply;
        }
        finally
        {
            _room.Unpin();
            request.Message.Dispose();
        }
    }

    /// <summary>A run does not stop amid an operator. Sent to a caller that has gone, its answer would be left to the collector.</summary>
    private static InferReply GiveUp(PayloadBuffer answer)
    {
        answer.Dispose();
        return InferReply.Failed(Failure.Cancelled("the caller gave up before the run had its answer"));
    }

    private async ValueTask<InferReply> FindOrRunAsync(ResponseCache responses, InferRequest request, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        UInt256 key;
        try
        {
            key = ResponseCache.KeyOf(request.Message.Span);
            if (responses.Find(key, request.Message.Span) is { } found)
            {
                _statistics.Found((long)_time.GetElapsedTime(start).TotalNanoseconds);
                return InferReply.Success(found);
            }
        }
        catch (ServingException exception)
        {
            return InferReply.Failed(exception.Failure);
        }

        _statistics.Missed((long)_time.GetElapsedTime(start).TotalNanoseconds);
        var reply = await _queue.EnqueueAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            if (reply.Succeeded)
            {
                responses.Add(key, reply.Message.Span);
            }

            return reply;
        }
        catch
        {
            reply.Message?.Dispose();
            throw;
        }
    }
}
