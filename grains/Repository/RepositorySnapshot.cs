using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>What a repository held at one moment.</summary>
/// <param name="Models">Every model by name, ordinal order; those that cannot be loaded too, with the reason.</param>
/// <param name="Problems">What is wrong with the repository as a whole: the root is gone, the configuration is invalid…</param>
/// <param name="Warnings">What was ignored or adapted; everything is served nevertheless.</param>
public sealed record RepositorySnapshot(
    ImmutableSortedDictionary<string, ModelRegistration> Models,
    ImmutableArray<string> Problems,
    ImmutableArray<string> Warnings);
