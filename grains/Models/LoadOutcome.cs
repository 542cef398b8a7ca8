using Cluster.Contracts.Errors;

namespace Cluster.Grains.Models;

/// <summary>What became of a copy's load.</summary>
/// <param name="Failure">Why it is not loaded; null if it is.</param>
/// <param name="IsFinal">Whether another try would end the same way as long as content and settings are the same.</param>
internal sealed record LoadOutcome(Failure? Failure, bool IsFinal)
{
    public static LoadOutcome Loaded { get; } = new(null, IsFinal: false);

    public bool Succeeded => Failure is null;

    public bool NoRoom => Failure?.Code == StatusCode.ResourceExhausted;
}
