namespace Cluster.Unit.Runtime.Grains;

/// <summary>Places "here…" in this silo, "away…" in a silo that does not exist, and refuses everything else.</summary>
internal sealed class TestPlacementDirector(TestProbe probe) : IPlacementDirector
{
    public static SiloAddress Away { get; } = SiloAddress.FromParsableString("10.0.0.1:11111@1");

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString();
        probe.Record($"placing {key} among {context.GetCompatibleSilos(target).Length} by {strategy.GetType().Name}");
        return key.StartsWith("here", StringComparison.Ordinal) ? Task.FromResult(context.LocalSilo)
            : key.StartsWith("away", StringComparison.Ordinal) ? Task.FromResult(Away)
            : throw new SiloUnavailableException("full");
    }
}
