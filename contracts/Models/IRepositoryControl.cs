using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Models;

/// <summary>The model repository, as far as a gateway may steer it.</summary>
public interface IRepositoryControl
{
    /// <summary>
    /// Reads the repository now and returns when every change is carried out. Failed loads are tried again.
    /// </summary>
    /// <returns>Problems of the repository as a whole, such as a configuration file that cannot be read, or silos that hold different content; empty if none.</returns>
    Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken);

    /// <summary>Reads one model's folder now and returns when its change is carried out.</summary>
    /// <returns>Whether the repository has such a model.</returns>
    /// <exception cref="ServingException">FAILED_PRECONDITION: the model's folder is gone where the repository is watched, but not on other silos.</exception>
    Task<bool> ReadAsync(string model, CancellationToken cancellationToken);
}
