using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>One of the places that a repository's models come from.</summary>
internal interface IModelSource
{
    /// <summary>Lists a remote source. The next scan reports failures.</summary>
    /// <param name="model">The only model of interest; null for all.</param>
    Task RefreshAsync(string? model, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <exception cref="RepositoryConfigurationException">The first scan finds no such place, or may not read it.</exception>
    SourceScan Scan();

    /// <summary>Looks at one model alone.</summary>
    SourceScan Scan(string name);
}

/// <summary>What one of the two sources of models holds.</summary>
internal sealed record SourceScan(
    ImmutableArray<ModelRegistration> Models,
    ImmutableArray<string> Problems,
    ImmutableArray<string> Warnings);
