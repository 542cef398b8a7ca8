using System.Collections.Immutable;

namespace Cluster.Runtime;

/// <summary>
/// The membership table at one version. Immutable: a change is another view, with which a compare-and-set on
/// <see cref="Version"/> and <see cref="Incarnation"/> replaces this one.
/// </summary>
/// <param name="Version">0 for a table that does not exist. Larger for each change, also after the table was lost.</param>
/// <param name="Incarnation">Tells lives of the table apart: another one means that rows and directory entries were lost.</param>
/// <param name="Entries">The rows.</param>
/// <param name="Unsettled">
/// Silos that have not put back their directory entries in this life of the table. While there are any no grain is registered,
/// since it may be active on one of them.
/// </param>
internal sealed record MembershipView(
    long Version,
    string Incarnation,
    ImmutableSortedDictionary<SiloAddress, MembershipEntry> Entries,
    ImmutableSortedSet<SiloAddress> Unsettled)
{
    /// <summary>No table.</summary>
    public static MembershipView None { get; } =
        new(0, "", ImmutableSortedDictionary<SiloAddress, MembershipEntry>.Empty, ImmutableSortedSet<SiloAddress>.Empty);

    public bool Exists => Version > 0;

    public MembershipEntry? Find(SiloAddress silo) => Entries.GetValueOrDefault(silo);

    /// <summary>A silo without a row is dead: rows are removed only when they have been dead for long.</summary>
    public bool IsDead(SiloAddress silo) => Find(silo)?.IsDead ?? true;

    /// <summary>The next version, with one row changed. A dead silo has nothing left to put back.</summary>
    public MembershipView With(MembershipEntry entry) => this with
    {
        Version = Version + 1,
        Entries = Entries.SetItem(entry.Silo, entry),
        Unsettled = entry.IsDead ? Unsettled.Remove(entry.Silo) : Unsettled,
    };

    public ClusterMembershipSnapshot ToSnapshot() => new(
        Entries.Values.ToImmutableDictionary(static entry => entry.Silo, static entry => new ClusterMember(entry.Silo, entry.Status, entry.Name)),
        new MembershipVersion(Version));

    public string Describe() => string.Join(", ", Entries.Values.Select(static entry => $"{entry.Silo} {entry.Status}"));
}
