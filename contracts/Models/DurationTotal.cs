namespace Cluster.Contracts.Models;

/// <summary>How often something happened and how long it took in all.</summary>
/// <param name="Count">Times.</param>
/// <param name="Nanoseconds">Sum.</param>
[GenerateSerializer, Immutable, Alias("duration-total")]
public readonly record struct DurationTotal([property: Id(0)] long Count, [property: Id(1)] long Nanoseconds)
{
    public static DurationTotal operator +(DurationTotal left, DurationTotal right) => Add(left, right);

    public static DurationTotal Add(DurationTotal left, DurationTotal right) =>
        new(left.Count + right.Count, left.Nanoseconds + right.Nanoseconds);
}
