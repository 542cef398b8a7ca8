using System.Net;

namespace Cluster.Bench.Attacks;

/// <summary>One way to misuse a server, from several callers at once.</summary>
/// <param name="Name">As in the report.</param>
/// <param name="Limit">What stands against it, in a few words.</param>
/// <param name="Callers">At once.</param>
/// <param name="NeedsKey">Whether it is tried on a server that asks who its clients are, with a key of one.</param>
/// <param name="RepeatAsync">What one caller does until it is stopped; returns how often: connections or requests.</param>
internal sealed record Attack(string Name, string Limit, int Callers, bool NeedsKey, Func<AttackTarget, CancellationToken, Task<long>> RepeatAsync)
{
    /// <summary>What the client that behaves asks meanwhile.</summary>
    public BehavedRequest Beside { get; init; } = BehavedRequest.Small;

    public override string ToString() => Name;
}

/// <summary>Where an attack goes to, on 127.0.0.1.</summary>
/// <param name="Key">API key of the client that attacks; empty where the server asks for none.</param>
internal sealed record AttackTarget(int HttpPort, int GrpcPort, string Key)
{
    public Uri Url(string path) => new($"http://{new IPEndPoint(IPAddress.Loopback, HttpPort)}{path}");
}
