using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>The watching of this silo's model repository, asked where the controller is.</summary>
internal interface IRepositoryWatch
{
    /// <inheritdoc cref="IRepositoryControl.ReloadAsync"/>
    Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IRepositoryControl.ReadAsync"/>
    Task<bool> ReadAsync(string model, CancellationToken cancellationToken);
}
