using System.Net;

namespace Cluster.Bench.Server;

/// <summary>The server that is measured.</summary>
/// <param name="ProcessId">Null for a server of somebody else, whose processor time is then not stated.</param>
internal sealed record ServerUnderTest(IPEndPoint Grpc, IPEndPoint Http, int? ProcessId, string Description);
