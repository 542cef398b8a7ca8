using System.Net;

namespace Cluster.Bench.Server;

/// <summary>What a load is sent to.</summary>
/// <param name="Processes">The ids of all processes that serve it.</param>
internal sealed record Target(IPEndPoint Grpc, IPEndPoint Http, IReadOnlyList<int> Processes);
