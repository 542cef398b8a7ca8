using System.Collections.Concurrent;
using InnerStorage = Cluster.Grains.Storage.MemoryGrainStorage;

namespace Cluster.Unit.Grains;

/// <summary>A storage in memory that refuses writes while the test says so, as a Redis whose memory is full.</summary>
internal sealed class RefusingStorage : IGrainStorage
{
    private readonly InnerStorage _stored = new();
    private readonly ConcurrentDictionary<string, int> _writes = new(StringComparer.Ordinal);

    private volatile string? _refusal;
    private int _refused;

    /// <summary>Why writes are refused; null lets them through.</summary>
    public string? Refusal
    {
        get => _refusal;
        set => _refusal = value;
    }

    /// <summary>Which writes are refused, by the state's name and the state; a state that is cleared is null.</summary>
    public Func<string, object?, bool> When { get; set; } = static (_, _) => true;

    /// <summary>Writes refused so far.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>States of a name that were written so far, by whichever grains.</summary>
    public int Writes(string stateName) => _writes.GetValueOrDefault(stateName);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => _stored.ReadStateAsync(stateName, grainId, grainState);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Check(stateName, grainState.State);
        _writes.AddOrUpdate(stateName, 1, static (_, count) => count + 1);
        return _stored.WriteStateAsync(stateName, grainId, grainState);
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Check(stateName, null);
        return _stored.ClearStateAsync(stateName, grainId, grainState);
    }

    private void Check(string stateName, object? state)
    {
        if (Refusal is { } cause && When(stateName, state))
        {
            Interlocked.Increment(ref _refused);
            throw new SiloUnavailableException(cause);
        }
    }
}
