using System.Diagnostics.CodeAnalysis;

namespace Cluster.Grains.Replication;

/// <summary>
/// A map of which every process that opens it holds a complete replica. Reads take no lock and no network; everything is safe from
/// any thread. A change is known everywhere within 100 ms, and within <see cref="ReplicationOptions.CatchUpInterval"/> if a message is lost.
/// <para>A map is written either by <see cref="Publish"/> or by <see cref="WriteAsync"/>, not by both.</para>
/// </summary>
public interface IReplicatedMap
{
    /// <summary>Called after an entry was replaced or removed, with its key; once a change, in order, never concurrently.</summary>
    event Action<string>? Changed;

    /// <summary>The same in every process.</summary>
    string Name { get; }

    /// <summary>Every entry, in no order.</summary>
    IEnumerable<ReplicatedEntry> All { get; }

    bool TryGet(string key, [NotNullWhen(true)] out ReplicatedEntry? entry);

    /// <summary>
    /// Replaces an entry, or removes it: here at once, elsewhere as soon as Redis has it. Until then only the newest of a key is kept.
    /// Of two that are published at once every process keeps the same one, the later by the publishers' clocks.
    /// </summary>
    /// <param name="key">Not empty.</param>
    /// <param name="content">Not changed afterwards; null removes the entry.</param>
    void Publish(string key, byte[]? content);

    /// <summary>Replaces or removes an entry in Redis if that has <paramref name="expected"/> or has lost it. The replica has the result when this returns.</summary>
    /// <param name="expected">The version that the writer knows; <c>default</c> if it knows of no entry.</param>
    /// <param name="content">Not changed afterwards; null removes the entry.</param>
    /// <exception cref="SiloUnavailableException">Redis is away. If it did not answer in time, the entry may be written or not.</exception>
    ValueTask<ReplicaWrite> WriteAsync(string key, ReplicaVersion expected, byte[]? content, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns once Redis has what was published here of a key: another process that refreshes the key from then on knows it. After 2 s at the latest.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    ValueTask WhenSentAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>Returns once this replica has what Redis has of a key, or something newer.</summary>
    /// <exception cref="SiloUnavailableException">Redis is away.</exception>
    ValueTask RefreshAsync(string key, CancellationToken cancellationToken = default);
}

/// <summary>How a compare-and-set ended.</summary>
/// <param name="Done">Whether it was written.</param>
/// <param name="Stored">What is stored now; <c>default</c> for no entry.</param>
public readonly record struct ReplicaWrite(bool Done, ReplicaVersion Stored);
