using System.Collections.Immutable;
using Cluster.Grains.Placement;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Repository;

/// <inheritdoc cref="ISiloRepositoryGrain"/>
[SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
internal sealed class SiloRepositoryGrain(IModelRepository repository) : Grain, ISiloRepositoryGrain
{
    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string?>> FingerprintAsync(ImmutableArray<string> models)
    {
        // Files are read on a thread of the pool: the grains' own are for turns that do not block.
        await repository.RefreshAsync(null, CancellationToken.None);
        var snapshot = await Task.Run(repository.Scan);
        return [.. models.Select(model => RepositoryVote.Fingerprint(snapshot.Models.GetValueOrDefault(model)))];
    }
}

/// <summary>One silo's model repository; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-repository")]
internal interface ISiloRepositoryGrain : IGrainWithStringKey
{
    /// <summary>Reads the repository now: a <see cref="RepositoryVote.Fingerprint"/> for each model, null where it holds none.</summary>
    [AlwaysInterleave, Alias("fingerprints")]
    ValueTask<ImmutableArray<string?>> FingerprintAsync(ImmutableArray<string> models);
}
