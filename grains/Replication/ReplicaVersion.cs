using System.Globalization;

namespace Cluster.Grains.Replication;

/// <summary>Which value of an entry it is. Prints as <c>sequence@life</c>.</summary>
/// <param name="Sequence">Greater than that of every value before; 0 for no value.</param>
/// <param name="Life">The life of the store that holds it: a store that was restarted begins another.</param>
public readonly record struct ReplicaVersion(long Sequence, string? Life)
{
    /// <summary>Reads the printed form; anything else is a version that no entry has.</summary>
    public static ReplicaVersion Parse(string? text)
    {
        var split = text?.IndexOf('@', StringComparison.Ordinal) ?? -1;
        return split < 0
            ? new ReplicaVersion(string.IsNullOrEmpty(text) ? 0 : -1, null)
            : new ReplicaVersion(
                long.TryParse(text.AsSpan(0, split), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : -1,
                text![(split + 1)..]);
    }

    public override string ToString() => Sequence == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{Sequence}@{Life}");
}
