using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cluster.Contracts.Models;

/// <summary>Which of the versions in the repository are served. Default: the latest one.</summary>
[GenerateSerializer, Immutable, Alias("version-policy")]
public sealed record VersionPolicy
{
    [JsonConstructor]
    private VersionPolicy(VersionPolicyKind kind, int count, ImmutableArray<long> versions)
    {
        Kind = kind;
        Count = count;
        Versions = versions;
    }

    /// <summary>The version with the highest number.</summary>
    public static VersionPolicy LatestOne { get; } = Latest(1);

    /// <summary>Every version.</summary>
    public static VersionPolicy All { get; } = new(VersionPolicyKind.All, 0, []);

    [Id(0)]
    public VersionPolicyKind Kind { get; }

    /// <summary>With <see cref="VersionPolicyKind.Latest"/>: how many, at least 1.</summary>
    [Id(1)]
    public int Count { get; }

    /// <summary>With <see cref="VersionPolicyKind.Specific"/>: which, ascending.</summary>
    [Id(2)]
    public ImmutableArray<long> Versions { get; }

    /// <summary>The <paramref name="count"/> highest versions, at least 1.</summary>
    public static VersionPolicy Latest(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new VersionPolicy(VersionPolicyKind.Latest, count, []);
    }

    /// <summary>Just these versions, as far as the repository has them.</summary>
    public static VersionPolicy Specific(IEnumerable<long> versions) =>
        new(VersionPolicyKind.Specific, 0, [.. versions.Distinct().Order()]);

    /// <summary>The versions to serve out of <paramref name="available"/>, highest first.</summary>
    public ImmutableArray<long> Select(IEnumerable<long> available)
    {
        var descending = available.Distinct().OrderDescending();
        return Kind switch
        {
            VersionPolicyKind.Latest => [.. descending.Take(Count)],
            VersionPolicyKind.Specific => [.. descending.Where(version => Versions.BinarySearch(version) >= 0)],
            _ => [.. descending],
        };
    }

    public bool Equals(VersionPolicy? other) =>
        other is not null && Kind == other.Kind && Count == other.Count && Versions.AsSpan().SequenceEqual(other.Versions.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Kind, Count, Versions.Length);
}

/// <summary>The three ways to choose versions.</summary>
[GenerateSerializer, Alias("version-policy-kind")]
public enum VersionPolicyKind
{
    Latest,
    All,
    Specific,
}
