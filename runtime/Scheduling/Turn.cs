namespace Cluster.Runtime;

/// <summary>One piece of work of an activation: a request (no callback), or a posted callback.</summary>
internal readonly struct Turn(SendOrPostCallback? callback, object? state)
{
    public SendOrPostCallback? Callback { get; } = callback;

    public object? State { get; } = state;
}
