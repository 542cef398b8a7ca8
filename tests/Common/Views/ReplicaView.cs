namespace Cluster.Tests.Common;

/// <summary>A replica as <c>GET /v2/cluster</c> shows it.</summary>
/// <param name="State">SERVING, LOADING or ON_DEMAND.</param>
/// <param name="Silo">Empty where it is on none.</param>
public sealed record ReplicaView(int? Number, string State, string Silo);
