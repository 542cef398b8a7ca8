using System.Globalization;

namespace Cluster.Contracts.Models;

/// <summary>Bounds on the replicas of a version in memory, in place of those of its model's settings.</summary>
/// <param name="Least">1 to 1000. Null leaves it to the settings.</param>
/// <param name="Most">0 to 1000, 0 for as many as there are silos. Null leaves it to the settings.</param>
[GenerateSerializer, Immutable, Alias("replica-bounds")]
public sealed record ReplicaBounds([property: Id(0)] int? Least, [property: Id(1)] int? Most)
{
    /// <summary>As many as a bound of a model's settings can be.</summary>
    public const int Largest = 1000;

    /// <summary>The mistake in the numbers, or null.</summary>
    public string? Problem() =>
        Least is < 1 or > Largest ? string.Create(CultureInfo.InvariantCulture, $"min_copies is {Least}, expected 1 to {Largest}")
        : Most is < 0 or > Largest ? string.Create(CultureInfo.InvariantCulture, $"max_copies is {Most}, expected 0 to {Largest}")
        : Most > 0 && Most < Least ? string.Create(CultureInfo.InvariantCulture, $"max_copies is {Most}, less than min_copies, {Least}")
        : null;

    /// <summary>The bounds for a model of those settings. Where one that is given contradicts one of the settings, the given one holds for both.</summary>
    public (int Least, int Most) Over(ModelSettings settings)
    {
        var (least, most) = (Least ?? settings.MinCopies, Most ?? settings.MaxCopies);
        return most == 0 || least <= most ? (least, most)
            : Least is null ? (most, most)
            : (least, least);
    }
}
