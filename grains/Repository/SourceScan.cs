using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>What one of the two sources of models holds.</summary>
internal sealed record SourceScan(
    ImmutableArray<ModelRegistration> Models,
    ImmutableArray<string> Problems,
    ImmutableArray<string> Warnings);
