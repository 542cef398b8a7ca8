namespace Cluster.Contracts.Models;

/// <summary>Sizes that a dimension may have, both ends included.</summary>
/// <param name="Min">At least 0.</param>
/// <param name="Max">At least <paramref name="Min"/>; <see cref="long.MaxValue"/> for no upper limit.</param>
[GenerateSerializer, Immutable, Alias("dimension-range")]
public readonly record struct DimensionRange([property: Id(0)] long Min, [property: Id(1)] long Max)
{
    /// <summary>Any size.</summary>
    public static DimensionRange Any { get; } = new(0, long.MaxValue);

    /// <summary>Just this size.</summary>
    public static DimensionRange Exactly(long size) => new(size, size);

    public bool Contains(long size) => size >= Min && size <= Max;

    /// <summary><c>-1</c> for any, <c>4</c> for exactly 4, <c>1:8</c> for a range.</summary>
    public override string ToString() => this == Any ? "-1" : Min == Max ? $"{Min}" : $"{Min}:{Max}";
}
