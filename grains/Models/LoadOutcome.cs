using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>What became of a load, on the last silo that it was tried on.</summary>
/// <param name="Replica">The replica, which still arrives; null where no silo could be chosen.</param>
/// <param name="Failure">Why it is not loaded; null if it is.</param>
/// <param name="IsFinal">Whether another try would end the same way as long as content and settings are the same.</param>
internal sealed record LoadOutcome(PlacedReplica? Replica, Failure? Failure, bool IsFinal = false)
{
    /// <summary>Whether the load was given up because the model is to serve something else.</summary>
    public bool IsSuperseded { get; init; }

    /// <summary>Whether its content is taken out of service, as silos do not survive its load.</summary>
    public bool IsQuarantined { get; init; }

    public bool Succeeded => Failure is null;

    public bool NoRoom => Failure?.Kind == FailureKind.Full;
}
