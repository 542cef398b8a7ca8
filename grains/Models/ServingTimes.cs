using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>Since when each version is as it is.</summary>
internal static class ServingTimes
{
    /// <summary>What changed since <paramref name="before"/> is of <paramref name="now"/>; the rest keeps its time.</summary>
    public static ModelServingState Stamp(ModelServingState? before, ModelServingState state, DateTimeOffset now) =>
        state with
        {
            Versions =
            [
                .. state.Versions.Select(version =>
                {
                    var last = before?.Versions.FirstOrDefault(entry => entry.Version == version.Version);
                    return version with { Since = last is not null && IsSame(last, version) ? last.Since : now };
                }),
            ],
        };

    private static bool IsSame(VersionServingState left, VersionServingState right) =>
        left.State == right.State
        && left.Failed == right.Failed
        && left.Reason == right.Reason
        && left.Replicas.AsSpan().SequenceEqual(right.Replicas.AsSpan());
}
