using System.Collections.Immutable;

namespace Cluster.Grains.Repository;

/// <summary>One silo's model repository; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-repository")]
internal interface ISiloRepositoryGrain : IGrainWithStringKey
{
    /// <summary>Reads the repository now: a <see cref="RepositoryVote.Fingerprint"/> for each model, null where it holds none.</summary>
    [AlwaysInterleave, Alias("fingerprints")]
    ValueTask<ImmutableArray<string?>> FingerprintAsync(ImmutableArray<string> models);
}
