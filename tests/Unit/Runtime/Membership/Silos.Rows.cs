namespace Cluster.Unit.Runtime.Membership;

/// <summary>Rows of the embedded runtime's table.</summary>
internal static partial class Silos
{
    public static MembershipEntry Row(SiloAddress silo, SiloStatus status = SiloStatus.Active) =>
        new(silo, status, $"silo {silo.Endpoint.Port}", "silo", ["fast", "big"], Start, []);

    /// <summary>A table at version 10, life "one", in which those silos are active.</summary>
    public static MembershipView Table(params SiloAddress[] silos) => Table([.. silos.Select(static silo => Row(silo))]);

    public static MembershipView Table(params MembershipEntry[] rows) => MembershipView.None with
    {
        Version = 10,
        Incarnation = "one",
        Entries = MembershipView.None.Entries.AddRange(rows.Select(static row => KeyValuePair.Create(row.Silo, row))),
    };

    /// <summary>A reading in which those silos have just said that they are alive.</summary>
    public static TableReading Read(MembershipView view, params SiloAddress[] fresh) =>
        new(view, fresh.ToDictionary(static silo => silo, static _ => Start).ToImmutable(), Start);

    private static System.Collections.Immutable.ImmutableDictionary<TKey, TValue> ToImmutable<TKey, TValue>(this IEnumerable<KeyValuePair<TKey, TValue>> pairs)
        where TKey : notnull => System.Collections.Immutable.ImmutableDictionary.CreateRange(pairs);
}
