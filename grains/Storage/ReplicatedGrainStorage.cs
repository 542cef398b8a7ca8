using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Cluster.Grains.Replication;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Cluster.Grains.Storage;

/// <summary>
/// Keeps states in a replicated map, as JSON. A Redis that comes back without its data gets every state back, also of grains that are not active. An ETag is a <see cref="ReplicaVersion"/>. A state that is stored as it is already is not written again.
/// <para>While Redis is away every read and every change fails with <see cref="SiloUnavailableException"/>.</para>
/// </summary>
internal sealed class ReplicatedGrainStorage(IReplicatedMap map) : IGrainStorage
{
    /// <summary>Keys whose last write was not answered: what is stored is not known.</summary>
    private readonly ConcurrentDictionary<string, bool> _unanswered = new(StringComparer.Ordinal);

    /// <summary>The map that every silo opens.</summary>
    public const string MapName = "grain-states";

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var key = KeyOf(stateName, grainId);
        await map.RefreshAsync(key).ConfigureAwait(false);
        var exists = map.TryGet(key, out var entry);
        grainState.State = exists ? GrainStateJson.Read<T>(entry!.Content.Span) : Activator.CreateInstance<T>();
        grainState.ETag = exists ? entry!.Version.ToString() : null;
        grainState.RecordExists = exists;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var content = GrainStateJson.Write(grainState.State);
        if (IsStored(KeyOf(stateName, grainId), grainState.ETag, content))
        {
            return;
        }

        grainState.ETag = await ChangeAsync("write", stateName, grainId, grainState.ETag, content).ConfigureAwait(false);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await ChangeAsync("clear", stateName, grainId, grainState.ETag, null).ConfigureAwait(false);
        grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private bool IsStored(string key, string? etag, byte[] content) =>
        !_unanswered.ContainsKey(key) && map.TryGet(key, out var entry) && entry.Version.ToString() == etag && entry.Content.Span.SequenceEqual(content);

    private static string KeyOf(string stateName, GrainId grain) => string.Create(CultureInfo.InvariantCulture, $"{stateName}/{grain}");

    private async Task<string> ChangeAsync(string operation, string stateName, GrainId grainId, string? etag, byte[]? content)
    {
        var key = KeyOf(stateName, grainId);
        _unanswered[key] = true;
        var (done, stored) = await map.WriteAsync(key, ReplicaVersion.Parse(etag), content).ConfigureAwait(false);
        _unanswered.TryRemove(key, out _);
        return done
            ? stored.ToString()
            : throw new InconsistentStateException(
                string.Create(CultureInfo.InvariantCulture, $"cannot {operation} state '{stateName}' of {grainId}"), stored.Sequence == 0 ? null : stored.ToString(), etag);
    }
}

/// <summary>States as they are stored: JSON of their public properties and fields.</summary>
internal static class GrainStateJson
{
    private static readonly JsonSerializerOptions Json = new() { IncludeFields = true };

    public static byte[] Write<T>(T state) => JsonSerializer.SerializeToUtf8Bytes(state, Json);

    public static T Read<T>(ReadOnlySpan<byte> content) => JsonSerializer.Deserialize<T>(content, Json)!;
}

/// <summary>Registers grain storages.</summary>
public static class GrainStorageServiceCollectionExtensions
{
    /// <summary>
    /// Adds a grain storage in Redis under a name; every silo holds a replica of all states. States are kept under the cluster's identity. Call it
    /// before Orleans is added.
    /// </summary>
    public static IServiceCollection AddReplicatedGrainStorage(this IServiceCollection services, string name)
    {
        services.AddReplicatedMap(ReplicatedGrainStorage.MapName);
        return services.AddKeyedSingleton<IGrainStorage>(
            name, static (provider, _) => new ReplicatedGrainStorage(provider.GetRequiredKeyedService<IReplicatedMap>(ReplicatedGrainStorage.MapName)));
    }

    /// <summary>Adds a grain storage in memory under a name.</summary>
    public static IServiceCollection AddMemoryGrainStorage(this IServiceCollection services, string name) =>
        services.AddKeyedSingleton<IGrainStorage, MemoryGrainStorage>(name);
}
