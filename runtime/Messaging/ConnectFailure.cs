namespace Cluster.Runtime;

/// <summary>Why there is no connection.</summary>
internal sealed record ConnectFailure(ConnectionLossKind Kind, string Reason);
