using System.Globalization;

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

/// <summary>Which value of an entry it is. Prints as <c>sequence@life</c>.</summary>
/// <param name="Sequence">Greater than that of every value before; 0 for no value.</param>
/// <param name="Life">The life of the store that holds it: a store that was restarted begins another.</param>
public readonly record struct ReplicaVersion(long Sequence, string? Life)
{
    /// <summary>Reads the printed form; anything else is a version that no entry has.</summary>
    public static ReplicaVersion Parse(string? text)
    {
        var split = text?.IndexOf('@', StringComparison.Ordinal) ?? -1;
        return split < 0
            ? new ReplicaVersion(string.IsNullOrEmpty(text) ? 0 : -1, null)
            : new ReplicaVersion(
                long.TryParse(text.AsSpan(0, split), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : -1,
                text![(split + 1)..]);
    }

    public override string ToString() => Sequence == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{Sequence}@{Life}");
}
