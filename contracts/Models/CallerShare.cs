namespace Cluster.Contracts.Models;

/// <summary>Whose a request or a registered model is, and how much of what is scarce is its. Default: of callers without an identity, who count as one.</summary>
/// <param name="Key">The same for one identity at every gateway; 0 for none.</param>
/// <param name="Weight">1 to <see cref="MaxWeight"/>; what is not is read as <see cref="DefaultWeight"/>, also 0 from a process that knows of no weights.</param>
[GenerateSerializer, Immutable, OmitDefaultMemberValues, Alias("caller-share")]
public readonly record struct CallerShare([property: Id(0)] int Key, [property: Id(1)] int Weight)
{
    /// <summary>Of an identity without a weight of its own, and of all that have no identity together.</summary>
    public const int DefaultWeight = 100;

    public const int MaxWeight = 10_000;

    /// <summary>The weight to reckon with, from 1.</summary>
    public int ValidWeight() => Weight is > 0 and <= MaxWeight ? Weight : DefaultWeight;
}
