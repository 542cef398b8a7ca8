namespace Cluster.Runtime;

/// <summary>Where an activation of a grain lives: an entry of the directory.</summary>
public sealed record GrainAddress
{
    /// <summary>The grain.</summary>
    public GrainId GrainId { get; init; }

    /// <summary>Its activation.</summary>
    public ActivationId ActivationId { get; init; }

    /// <summary>The silo that holds it; null while it is not known.</summary>
    public SiloAddress? SiloAddress { get; init; }

    /// <summary>The membership under which it was registered.</summary>
    public MembershipVersion MembershipVersion { get; init; } = MembershipVersion.MinValue;

    /// <summary>
    /// The fencing token of the registration: larger for each later one of the cluster, 0 if not registered. Of two activations of
    /// a grain that both believe to be the one, the larger is.
    /// </summary>
    internal long LoadEpoch { get; init; }

    /// <summary>The address of <paramref name="grain"/> in a silo, with a new activation.</summary>
    public static GrainAddress NewActivationAddress(SiloAddress silo, GrainId grain) =>
        new() { GrainId = grain, SiloAddress = silo, ActivationId = ActivationId.NewId() };

    /// <summary>True if both name the same activation on the same silo, whatever the membership.</summary>
    public bool Matches(GrainAddress? other) =>
        other is not null && GrainId == other.GrainId && ActivationId == other.ActivationId && SiloAddress == other.SiloAddress;

    public override string ToString() => $"{GrainId}{ActivationId}@{SiloAddress}";
}
