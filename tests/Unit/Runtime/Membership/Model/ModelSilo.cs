using System.Globalization;

namespace Cluster.Unit.Runtime.Membership.Model;

/// <summary>One place for a silo in the model: at most one run at a time, each with a larger generation.</summary>
/// <param name="Known">What the run knows of the table; none before it has joined.</param>
/// <param name="Write">A compare-and-set on its way: what it expects and what it writes.</param>
/// <param name="Held">The registration that the run believes to have for the grain.</param>
/// <param name="Register">A registration on its way, with the life of the table that its sender knew.</param>
/// <param name="Reply">What the directory answered, on its way back, with the life of the table in which it was asked.</param>
/// <param name="Unregister">A removal on its way.</param>
/// <param name="PutBackIn">The life of the table in which it has put back what it held.</param>
internal sealed record ModelSilo(
    int Number,
    int Generation,
    bool Up,
    bool Terminated,
    MembershipView Known,
    (MembershipView Expected, MembershipView Next)? Write,
    GrainAddress? Held,
    (GrainAddress Candidate, string Incarnation)? Register,
    (GrainAddress Winner, string Incarnation)? Reply,
    GrainAddress? Unregister,
    string PutBackIn)
{
    public SiloAddress Address { get; } = Silos.At(Number, Generation);

    public bool Runs => Up && !Terminated;

    public bool IsMember => Runs && Known.Exists;

    public static ModelSilo New(int number, int generation) =>
        new(number, generation, true, false, MembershipView.None, null, null, null, null, null, "");

    public ModelSilo Down() => New(Number, Generation) with { Up = false };

    public string Key() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Generation}{Up}{Terminated}|{ModelKeys.Of(Known)}|{(Write is { } w ? ModelKeys.Of(w.Expected) + ">" + ModelKeys.Of(w.Next) : "")}|{ModelKeys.Of(Held)}|{(Register is { } r ? ModelKeys.Of(r.Candidate) + r.Incarnation : "")}|{(Reply is { } p ? ModelKeys.Of(p.Winner) + p.Incarnation : "")}|{ModelKeys.Of(Unregister)}|{PutBackIn}");
}
