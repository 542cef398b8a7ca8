using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Cluster.Grains.Replication;

/// <summary>One map in Redis.</summary>
internal sealed class RedisReplicaStore(RedisConnection redis, RedisKeys keys, string map, TimeSpan removalExpiration)
{
    private const int FixedArguments = 3;
    private const int ArgumentsOfEach = 4;
    private readonly RedisKey[] _keys = keys.Map(map);
    private readonly string _channel = keys.MapChannel(map);
    private readonly long _removalMilliseconds = (long)removalExpiration.TotalMilliseconds;
    private readonly string _process = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private long _lives;

    /// <summary>The connection is back: messages may have been missed.</summary>
    public event Action? Restored
    {
        add => redis.Restored += value;
        remove => redis.Restored -= value;
    }

    /// <summary>Null: not known whether it is done. Else the store's life, and an answer for each entry.</summary>
    public async ValueTask<(string Life, IReadOnlyList<StoreAnswer> Answers)?> PublishAsync(IReadOnlyList<ReplicatedEntry> entries, CancellationToken cancellationToken)
    {
        var values = Arguments(ArgumentsOfEach * entries.Count);
        foreach (var entry in entries)
        {
            values.AddRange([entry.Key, entry.Sequence, entry.Bytes is null ? 0 : 1, entry.Bytes ?? []]);
        }

        var reply = await redis.EvaluateAsync(ReplicaScripts.Publish, _keys, [.. values], cancellationToken).ConfigureAwait(false);
        if (!reply.IsDone)
        {
            return null;
        }

        var answers = new List<StoreAnswer>(entries.Count);
        for (var i = 1; i < reply.Values.Length; i++)
        {
            if (reply.Values[i] == 1)
            {
                answers.Add(new StoreAnswer(true, null));
                continue;
            }

            answers.Add(new StoreAnswer(false, ReadEntry(entries[answers.Count].Key, reply.Values, i + 1)));
            i += 3;
        }

        return (reply.Values[0]!, answers);
    }

    /// <exception cref="SiloUnavailableException">Redis is away.</exception>
    public async ValueTask<(string Life, StoreAnswer Answer)> WriteAsync(
        string key, ReplicaVersion expected, byte[]? content, CancellationToken cancellationToken)
    {
        var values = Arguments(5);
        values.AddRange([key, expected.Sequence, expected.Life ?? "", content is null ? 0 : 1, content ?? []]);
        var answer = await EvaluateAsync($"{Subject(key)} cannot be written", ReplicaScripts.Write, values, cancellationToken).ConfigureAwait(false);
        if (answer[1] == 1)
        {
            return (answer[0]!, new StoreAnswer(true, new StoredEntry(key, (long)answer[2], content)));
        }

        return (answer[0]!, new StoreAnswer(false, answer[2] == 0 ? null : ReadEntry(key, answer, 2)));
    }

    /// <exception cref="SiloUnavailableException">Redis is away.</exception>
    public async ValueTask<(string Life, StoredEntry? Stored)> ReadAsync(string key, CancellationToken cancellationToken)
    {
        var values = Arguments(1);
        values.Add(key);
        var answer = await EvaluateAsync($"{Subject(key)} cannot be read", ReplicaScripts.Read, values, cancellationToken).ConfigureAwait(false);
        return (answer[0]!, answer.Length == 1 ? null : ReadEntry(key, answer, 1));
    }

    /// <summary>Null: Redis is away.</summary>
    public async ValueTask<StorePage?> ReadPageAsync(long since, CancellationToken cancellationToken)
    {
        var values = Arguments(1);
        values.Add(since);
        var reply = await redis.EvaluateAsync(ReplicaScripts.Page, _keys, [.. values], cancellationToken).ConfigureAwait(false);
        if (!reply.IsDone)
        {
            return null;
        }

        var answer = reply.Values;
        var entries = new List<StoredEntry>((answer.Length - 4) / ArgumentsOfEach);
        for (var i = 4; i < answer.Length; i += ArgumentsOfEach)
        {
            entries.Add(ReadEntry(answer[i]!, answer, i + 1));
        }

        return new StorePage(answer[0]!, (long)answer[1], (long)answer[2], answer[3] == 1, entries);
    }

    /// <summary>Calls back for each change, in no fixed order. False: there is no connection yet.</summary>
    public ValueTask<bool> TrySubscribeAsync(Action<StoreMessage> received, CancellationToken cancellationToken) =>
        redis.TrySubscribeAsync(_channel, bytes => received(ReadMessage(bytes)), cancellationToken);

    private static StoredEntry ReadEntry(string key, RedisValue[] values, int at) =>
        new(key, (long)values[at], values[at + 1] == 1 ? (byte[]?)values[at + 2] ?? [] : null);

    private static StoreMessage ReadMessage(ReadOnlySpan<byte> bytes)
    {
        var life = Encoding.ASCII.GetString(Cut(ref bytes));
        var change = ReadNumber(ref bytes);
        var sequence = ReadNumber(ref bytes);
        var live = ReadNumber(ref bytes) == 1;
        var keyLength = (int)ReadNumber(ref bytes);
        var key = Encoding.UTF8.GetString(bytes[..keyLength]);
        return new StoreMessage(life, change, new StoredEntry(key, sequence, live ? bytes[keyLength..].ToArray() : null));
    }

    private static ReadOnlySpan<byte> Cut(ref ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)' ');
        var cut = bytes[..Math.Max(end, 0)];
        bytes = bytes[(end + 1)..];
        return cut;
    }

    private static long ReadNumber(ref ReadOnlySpan<byte> bytes) =>
        Utf8Parser.TryParse(Cut(ref bytes), out long number, out _) ? number : throw new FormatException("a message of a replicated map is malformed");

    private async ValueTask<RedisValue[]> EvaluateAsync(string what, string script, List<RedisValue> values, CancellationToken cancellationToken)
    {
        var reply = await redis.EvaluateAsync(script, _keys, [.. values], cancellationToken).ConfigureAwait(false);
        return reply.IsDone ? reply.Values : throw reply.ToException(what);
    }

    /// <summary>What a key is of, for clients: grains' states are kept under state, type and key of the grain.</summary>
    private string Subject(string key) => key.Split('/') is [var state, _, var name] ? $"{state} '{name}'" : $"'{key}' of {map}";

    private List<RedisValue> Arguments(int more)
    {
        var values = new List<RedisValue>(FixedArguments + more) { $"{_process}{Interlocked.Increment(ref _lives):x}", _channel, _removalMilliseconds };
        return values;
    }
}

/// <summary>An answer of the store about one entry.</summary>
/// <param name="Accepted">Whether a write was carried out, or had been before.</param>
/// <param name="Stored">What the store has now; null for nothing at all, or, of an accepted publish, for what was published.</param>
internal readonly record struct StoreAnswer(bool Accepted, StoredEntry? Stored);

/// <summary>Sent to every process at each change of the store.</summary>
/// <param name="Change">The number of the change; the next one has the next number.</param>
internal readonly record struct StoreMessage(string Life, long Change, StoredEntry Entry);

/// <summary>Entries of the store in the order of their last changes, from one change on.</summary>
/// <param name="Life">Another one than before: the store was restarted, and may have lost something.</param>
/// <param name="Purged">Removals up to this change may be forgotten: who has missed it must read everything.</param>
/// <param name="Reached">The change up to which the page goes.</param>
/// <param name="IsLast">Whether there is no later change.</param>
internal sealed record StorePage(string Life, long Purged, long Reached, bool IsLast, IReadOnlyList<StoredEntry> Entries);

/// <summary>What the store has of a key.</summary>
/// <param name="Content">Null: the key was removed.</param>
internal readonly record struct StoredEntry(string Key, long Sequence, byte[]? Content);
