using System.Collections.Concurrent;
using System.Globalization;
using Orleans.Storage;

namespace Cluster.Grains.Storage;

/// <summary>
/// Keeps states in this process, as JSON, so that a grain never shares an object with what is stored. Public properties and
/// fields are kept. Lost with the process.
/// </summary>
internal sealed class MemoryGrainStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<(string State, GrainId Grain), Record> _records = new();
    private long _version;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var exists = _records.TryGetValue((stateName, grainId), out var record);
        grainState.State = exists ? GrainStateJson.Read<T>(record!.Content) : Activator.CreateInstance<T>();
        grainState.ETag = record?.ETag;
        grainState.RecordExists = exists;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var key = (stateName, grainId);
        var written = new Record(
            GrainStateJson.Write(grainState.State),
            Interlocked.Increment(ref _version).ToString(CultureInfo.InvariantCulture));
        var stored = _records.GetValueOrDefault(key);
        var done = stored?.ETag == grainState.ETag && (stored is null ? _records.TryAdd(key, written) : _records.TryUpdate(key, written, stored));
        if (!done)
        {
            return Inconsistent("write", key, grainState.ETag);
        }

        grainState.ETag = written.ETag;
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var key = (stateName, grainId);
        var stored = _records.GetValueOrDefault(key);
        if (stored?.ETag != grainState.ETag || (stored is not null && !_records.TryRemove(KeyValuePair.Create(key, stored))))
        {
            return Inconsistent("clear", key, grainState.ETag);
        }

        grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
        return Task.CompletedTask;
    }

    private Task Inconsistent(string operation, (string State, GrainId Grain) key, string? etag) => Task.FromException(
        new InconsistentStateException($"cannot {operation} state '{key.State}' of {key.Grain}", _records.GetValueOrDefault(key)?.ETag, etag));

    // Compared by reference: each write makes a new one.
    private sealed class Record(byte[] content, string eTag)
    {
        public byte[] Content { get; } = content;

        public string ETag { get; } = eTag;
    }
}
