namespace Cluster.Grains.Cluster;

/// <summary>Whether the controller grain is active on this silo: what one silo does for all is done there. Two may be for a moment, after a silo was lost.</summary>
public sealed class ControllerDuty
{
    private volatile TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsHere => _begun.Task.IsCompleted;

    /// <summary>Until the duty is here; at once if it is.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _begun.Task.WaitAsync(cancellationToken);

    internal void Begin() => _begun.TrySetResult();

    internal void End() => _begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
}
