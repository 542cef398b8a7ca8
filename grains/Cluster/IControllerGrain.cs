using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;

namespace Cluster.Grains.Cluster;

/// <summary>What is done once for the whole cluster; the key is <see cref="Key"/>.</summary>
[Alias("controller")]
internal interface IControllerGrain : IGrainWithStringKey
{
    /// <summary>The key of the one grain.</summary>
    const string Key = "0";

    /// <summary>A silo reports here that the membership has changed. Models that lost replicas know it when the call returns.</summary>
    [AlwaysInterleave, Alias("membership-changed")]
    ValueTask MembershipChangedAsync(MembershipVersion version, CancellationToken cancellationToken);

    /// <inheritdoc cref="IRepositoryControl.ReloadAsync"/>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("reload-repository")]
    ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IRepositoryControl.ReadAsync"/>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("read-model")]
    ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken);

    /// <inheritdoc cref="IClusterGrain.DrainAsync"/>
    [AlwaysInterleave, Alias("drain")]
    ValueTask<NodeDescription> DrainAsync(string silo, bool drains);

    /// <summary>Fingerprints of the repository's models that the cluster serves, by name; null before the controller's silo has read its repository.</summary>
    [AlwaysInterleave, Alias("fingerprints")]
    ValueTask<ImmutableDictionary<string, string>?> GetFingerprintsAsync();

    /// <summary>Ends the activation, so that the next call finds the controller on a silo whose repository agrees with the others'.</summary>
    [AlwaysInterleave, Alias("leave")]
    ValueTask LeaveAsync();
}
