using InnerStorage = Cluster.Grains.Storage.MemoryGrainStorage;

namespace Cluster.Unit.Grains;

/// <summary>A storage in memory that refuses writes while the test says so, as a Redis whose memory is full.</summary>
internal sealed class RefusingStorage : IGrainStorage
{
    private readonly InnerStorage _stored = new();

    private volatile string? _refusal;

    /// <summary>Why writes are refused; null lets them through.</summary>
    public string? Refusal
    {
        get => _refusal;
        set => _refusal = value;
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => _stored.ReadStateAsync(stateName, grainId, grainState);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Refusal is { } cause ? throw new SiloUnavailableException(cause) : _stored.WriteStateAsync(stateName, grainId, grainState);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Refusal is { } cause ? throw new SiloUnavailableException(cause) : _stored.ClearStateAsync(stateName, grainId, grainState);
}
