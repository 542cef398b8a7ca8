namespace Cluster.Grains.Replication;

/// <summary>One value of one key; another value is another object.</summary>
public sealed class ReplicatedEntry
{
    private object? _decoded;
    private volatile string? _life;

    /// <param name="isOwn">Whether this process made it.</param>
    internal ReplicatedEntry(string key, long sequence, byte[]? content, string? life, bool isOwn = false)
    {
        IsOwn = isOwn;
        Key = key;
        Sequence = sequence;
        Bytes = content;
        _life = life;
    }

    public string Key { get; }

    /// <summary>Grows with each value of the key. At least the microseconds since 1970 when it was made, by its publisher's clock.</summary>
    public long Sequence { get; }

    /// <summary>The content; empty if the entry is removed.</summary>
    public ReadOnlyMemory<byte> Content => Bytes;

    /// <summary>What a compare-and-set of this value expects.</summary>
    public ReplicaVersion Version => new(Sequence, _life);

    /// <summary>Whether this process made it: the store has it, or is about to get it.</summary>
    internal bool IsOwn { get; }

    /// <summary>Null: the key was removed. Kept for a while, so that a value published before the removal does not come back.</summary>
    internal byte[]? Bytes { get; }

    /// <summary>The latest life of the store that is known to hold this value; null if none is.</summary>
    internal string? Life
    {
        get => _life;
        set => _life = value;
    }

    /// <summary>The content as an object, made once; null if <paramref name="read"/> made none of it. Always asked for with the same type.</summary>
    public T? Decode<T>(Func<ReplicatedEntry, T?> read)
        where T : class
    {
        var decoded = Volatile.Read(ref _decoded);
        if (decoded is null)
        {
            decoded = Interlocked.CompareExchange(ref _decoded, read(this) ?? (object)DBNull.Value, null) ?? _decoded;
        }

        return decoded as T;
    }

    internal bool Matches(byte[]? content) =>
        Bytes is null ? content is null : content is not null && Bytes.AsSpan().SequenceEqual(content);
}
