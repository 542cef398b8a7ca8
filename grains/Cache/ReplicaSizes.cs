using System.Collections.Concurrent;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Cache;

/// <summary>
/// What replicas take, in bytes: predicted from their files until one of the same content was measured in this process. Measured is what ONNX Runtime's allocator
/// holds for the session, or the files where that is less, plus
/// <see cref="ModelCacheOptions.BaseBytes"/>. What runs need on top is not in it. Safe from any thread.
/// </summary>
internal sealed class ReplicaSizes(ModelCacheOptions options)
{
    private readonly ConcurrentDictionary<(string Model, long Version), (string Revision, long Bytes)> _measured = new();

    /// <summary>The best guess before a load.</summary>
    public long Predict(string model, ModelVersionSource source) =>
        _measured.TryGetValue((model, source.Version), out var known) && known.Revision == source.Revision
            ? known.Bytes
            : Declared(source);

    /// <summary>What the files say.</summary>
    public long Declared(ModelVersionSource source) => (long)Math.Min(source.Bytes * options.SizeFactor, long.MaxValue / 4) + options.BaseBytes;

    /// <summary>What a loaded replica takes; remembered for <see cref="Predict"/>.</summary>
    /// <param name="sessionBytes">What ONNX Runtime's allocator holds for its session, and what a run of it takes.</param>
    public long Measure(string model, ModelVersionSource source, long sessionBytes)
    {
        var bytes = Math.Max(sessionBytes, source.Bytes) + options.BaseBytes;
        _measured[(model, source.Version)] = (source.Revision, bytes);
        return bytes;
    }

    /// <summary>Forgets a model that is gone from the repository.</summary>
    public void Forget(string model)
    {
        foreach (var key in _measured.Keys.Where(key => key.Model == model))
        {
            _measured.TryRemove(key, out _);
        }
    }
}
