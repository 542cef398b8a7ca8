using System.Globalization;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>
/// Keeps states in Redis, as JSON. An ETag is <c>version@life</c>: versions are given out once in a life of the store, and a store
/// that was restarted without its data begins another. A state of an earlier life that is missing now was lost, not cleared, so the
/// activation that holds it may write it back.
/// <para>While Redis is away everything fails with <see cref="SiloUnavailableException"/>.</para>
/// </summary>
internal sealed class RedisGrainStorage(RedisConnection redis, RedisKeys keys) : IGrainStorage
{
    private const string Life =
        """
        local life = redis.call('HGET', KEYS[2], 'life')
        local version = redis.call('HGET', KEYS[1], 'version')
        local stored = version and life and (version .. '@' .. life) or ''
        local function matches(etag)
          return stored == etag or (stored == '' and etag ~= '' and string.match(etag, '@(.*)$') ~= life)
        end

        """;

    private const string ReadScript = Life +
        """
        return {stored, redis.call('HGET', KEYS[1], 'data')}
        """;

    /// <summary>ARGV: the writer's ETag, the content, a name for the store's life if it has none.</summary>
    private const string WriteScript = Life +
        """
        if not matches(ARGV[1]) then
          return {0, stored}
        end
        if not life then
          life = ARGV[3]
          redis.call('HSET', KEYS[2], 'life', life)
        end
        version = redis.call('HINCRBY', KEYS[2], 'version', 1)
        redis.call('HSET', KEYS[1], 'version', version, 'data', ARGV[2])
        return {1, version .. '@' .. life}
        """;

    private const string ClearScript = Life +
        """
        if not matches(ARGV[1]) then
          return {0, stored}
        end
        redis.call('DEL', KEYS[1])
        return {1, ''}
        """;

    private readonly string _newLife = RandomNumberGenerator.GetHexString(16, lowercase: true);

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var values = await EvaluateAsync("read", ReadScript, stateName, grainId, []).ConfigureAwait(false);
        var exists = (string)values[0]! is { Length: > 0 } && !values[1].IsNull;
        grainState.State = exists ? GrainStateJson.Read<T>(values[1]!) : Activator.CreateInstance<T>();
        grainState.ETag = exists ? (string?)values[0] : null;
        grainState.RecordExists = exists;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.ETag = await ChangeAsync(
            "write", WriteScript, stateName, grainId, grainState.ETag, GrainStateJson.Write(grainState.State), _newLife).ConfigureAwait(false);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await ChangeAsync("clear", ClearScript, stateName, grainId, grainState.ETag).ConfigureAwait(false);
        grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private async Task<string?> ChangeAsync(string operation, string script, string stateName, GrainId grainId, string? etag, params RedisValue[] more)
    {
        var values = await EvaluateAsync(operation, script, stateName, grainId, [etag ?? "", .. more]).ConfigureAwait(false);
        var stored = (string?)values[1];
        return values[0] == 1
            ? stored
            : throw new InconsistentStateException(
                string.Create(CultureInfo.InvariantCulture, $"cannot {operation} state '{stateName}' of {grainId}"), string.IsNullOrEmpty(stored) ? null : stored, etag);
    }

    private async Task<RedisValue[]> EvaluateAsync(string operation, string script, string stateName, GrainId grainId, RedisValue[] values)
    {
        var reply = await redis.EvaluateAsync(script, [keys.State(stateName, grainId), keys.Store], values).ConfigureAwait(false);
        return reply.IsDone ? reply.Values : throw reply.ToException($"to {operation} state '{stateName}' of {grainId}");
    }
}
