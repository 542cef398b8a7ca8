using Cluster.Contracts.Buffers;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>What one run after the other is started with, and the way to end the one under way. <see cref="TryEnd"/> is called by any thread, the rest by the one that runs.</summary>
internal sealed class RunHandle(TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private LoadedModel? _model;
    private PayloadBuffer? _request;
    private long _began;

    public RunOptions Options { get; } = new();

    /// <summary>How long the latest run had taken when it was ended; null where it was not.</summary>
    public TimeSpan? EndedAfter { get; private set; }

    /// <summary>A run begins; <see cref="End"/> follows.</summary>
    /// <param name="request">What runs by itself; null for several.</param>
    public void Begin(LoadedModel model, PayloadBuffer? request)
    {
        Options.Terminate = false;
        EndedAfter = null;
        var began = time.GetTimestamp();
        lock (_lock)
        {
            (_model, _request, _began) = (model, request, began);
        }
    }

    /// <summary>From here on nothing ends it.</summary>
    public void End()
    {
        lock (_lock)
        {
            (_model, _request) = (null, null);
        }
    }

    /// <summary>Has a run of that model end between two operators, if one is under way and has taken so long.</summary>
    /// <param name="of">Only the run of this request; null for any.</param>
    public void TryEnd(LoadedModel model, TimeSpan longerThan, PayloadBuffer? of)
    {
        lock (_lock)
        {
            if (_model == model && (of is null || _request == of) && time.GetElapsedTime(_began) is var taken && taken >= longerThan)
            {
                EndedAfter = taken;
                Options.Terminate = true;
            }
        }
    }

    public void Dispose() => Options.Dispose();
}
