using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Serving;

/// <summary>This process's replica of every model's serving state. Reads take no lock and no network; safe from any thread.</summary>
public interface IServingStates
{
    /// <summary>Called after a model's state was replaced, with its name; once a change, never concurrently for one model.</summary>
    event Action<string>? Changed;

    /// <summary>Called once, when <see cref="InitialLoadFinished"/> becomes true.</summary>
    event Action? InitialLoadCompleted;

    /// <summary>Every known model, in no order.</summary>
    IEnumerable<ModelServingState> All { get; }

    /// <summary>Whether every model that the repository held at the start has been tried; stays true from then on.</summary>
    bool InitialLoadFinished { get; }

    bool TryGet(string name, [NotNullWhen(true)] out ModelServingState? state);

    /// <summary>
    /// Returns once this replica knows all that any process published of the model before the call. Returns at once where the replica is the only one.
    /// </summary>
    /// <exception cref="ServingException">UNAVAILABLE: the state of other processes cannot be asked for now.</exception>
    ValueTask RefreshAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Returns once every process that refreshes the model knows what this one published of it. At once where this replica is the only one, after 2 s at the latest.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    ValueTask WhenSentAsync(string name, CancellationToken cancellationToken);

    /// <summary>Replaces a model's state, or forgets the model where it has neither a version nor a problem.</summary>
    void Publish(ModelServingState state);

    /// <summary>Sets <see cref="InitialLoadFinished"/>.</summary>
    void FinishInitialLoad();
}
