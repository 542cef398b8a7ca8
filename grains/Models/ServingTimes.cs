using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>Since when each version is as it is, and why.</summary>
internal static class ServingTimes
{
    /// <summary>What changed since <paramref name="before"/> is of <paramref name="now"/>; the rest keeps its time.</summary>
    /// <param name="cause">Why; empty where the state itself says it.</param>
    public static ModelServingState Stamp(ModelServingState? before, ModelServingState state, DateTimeOffset now, string cause = "") =>
        state with
        {
            Versions =
            [
                .. state.Versions.Select(version =>
                {
                    var last = before?.Versions.FirstOrDefault(entry => entry.Version == version.Version);
                    return last is not null && IsSame(last, version) ? version with { Since = last.Since, Cause = last.Cause } : version with { Since = now, Cause = cause };
                }),
            ],
        };

    private static bool IsSame(VersionServingState left, VersionServingState right) =>
        left.State == right.State
        && left.Failed == right.Failed
        && left.Reason == right.Reason
        && left.Replicas.AsSpan().SequenceEqual(right.Replicas.AsSpan());
}
