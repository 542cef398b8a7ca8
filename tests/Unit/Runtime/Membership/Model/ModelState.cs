using System.Globalization;

namespace Cluster.Unit.Runtime.Membership.Model;

/// <summary>
/// Everything there is: two silos, Redis with the table and the entry of one grain, and how many more faults and registrations may come.
/// </summary>
internal sealed record ModelState(
    ModelSilo One, ModelSilo Two, MembershipView Table, GrainAddress? Entry, long Counter, int Registrations, int Losses, int Suspicions, int Restarts)
{
    public IEnumerable<ModelSilo> Silos => [One, Two];

    public ModelSilo Other(ModelSilo silo) => silo.Number == One.Number ? Two : One;

    public ModelState With(ModelSilo silo) => silo.Number == One.Number ? this with { One = silo } : this with { Two = silo };

    public string Key() => string.Create(
        CultureInfo.InvariantCulture,
        $"{One.Key()}/{Two.Key()}/{ModelKeys.Of(Table)}/{ModelKeys.Of(Entry)}/{Counter}/{Registrations}/{Losses}/{Suspicions}/{Restarts}");

    /// <summary>The table, or a running silo that goes by it, knows that the silo is dead.</summary>
    public bool IsKnownDead(SiloAddress silo) =>
        Table.Find(silo) is { IsDead: true } || Silos.Any(other => other.IsMember && other.Known.Find(silo) is { IsDead: true });
}
