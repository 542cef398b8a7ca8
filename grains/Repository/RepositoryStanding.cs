using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>Whether this silo's model repository holds what the cluster serves. Safe from any thread.</summary>
public sealed class RepositoryStanding
{
    private readonly Lock _lock = new();

    /// <summary>Called after <see cref="Problem"/> changed.</summary>
    public event Action? Changed;

    /// <summary>False until the repository has been compared for the first time, and while there is a <see cref="Problem"/>.</summary>
    public bool Agrees { get; private set; }

    /// <summary>What the repository lacks or holds otherwise; null if nothing, or not known yet.</summary>
    public string? Problem { get; private set; }

    /// <summary>Fingerprints of the models that this silo handed over last; null where it has handed over none.</summary>
    public ImmutableDictionary<string, string>? HandedOver { get; set; }

    /// <param name="problem">Null: the repository agrees.</param>
    /// <returns>Whether that is news.</returns>
    public bool Set(string? problem)
    {
        lock (_lock)
        {
            Agrees = problem is null;
            if (problem == Problem)
            {
                return false;
            }

            Problem = problem;
        }

        Changed?.Invoke();
        return true;
    }
}

/// <summary>The watching of this silo's model repository, asked where the controller is.</summary>
internal interface IRepositoryWatch
{
    /// <inheritdoc cref="IRepositoryControl.ReloadAsync"/>
    Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IRepositoryControl.ReadAsync"/>
    Task<bool> ReadAsync(string model, CancellationToken cancellationToken);
}
