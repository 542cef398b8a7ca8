namespace Cluster.Runtime;

/// <summary>
/// Asks silos over the data connections whether they are there. Called concurrently. Nothing is thrown for the network's sake: the
/// outcome says it.
/// </summary>
public interface ISiloProber
{
    /// <summary>
    /// A connection to that silo was refused or reset. Raised as soon as it shows, from any thread, more than once too; a connection
    /// that this silo closed does not count.
    /// </summary>
    event Action<SiloAddress>? ConnectionLost;

    /// <summary>Asks a silo. Ends within about <paramref name="timeout"/>, and connects if there is no connection.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    ValueTask<ProbeOutcome> ProbeAsync(SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>
    /// Has <paramref name="intermediary"/> ask <paramref name="target"/> and tells what it found; null if the intermediary did not
    /// say within <paramref name="timeout"/>, which is all that a prober without this ability answers.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    ValueTask<ProbeOutcome?> ProbeThroughAsync(SiloAddress intermediary, SiloAddress target, TimeSpan timeout, CancellationToken cancellationToken) =>
        new((ProbeOutcome?)null);
}
