using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Hosting;

/// <summary>Limits of a client's connections at a gateway.</summary>
[Section("Limits")]
public sealed class LimitOptions
{
    /// <summary>
    /// Connections of one address. 0, the default, is half of all. Where an address has so many, the one of them that has been idle for the longest is closed. Lower it
    /// where clients do not share an address, such as that of a proxy.
    /// </summary>
    [Range(0, 1_000_000)]
    public int ConnectionsPerAddress { get; set; }

    /// <summary>
    /// How long a connection takes new requests, up to a tenth more or less. Then the gateway tells the client to open another one, and answers the running requests.
    /// So clients find new gateways. Default an hour. 0 is for ever.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan ConnectionAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// gRPC calls in flight on one connection. Default 256. A client that resets its calls can have twice as many begun, each some 50 KiB. Fewer make clients wait that
    /// send more at once.
    /// </summary>
    [Range(1, 100_000)]
    public int StreamsPerConnection { get; set; } = 256;

    /// <summary>
    /// Bytes of inference requests in flight at this gateway, MiB. 0, the default, is half of the memory that the process may use. More are refused with
    /// RESOURCE_EXHAUSTED, 429.
    /// </summary>
    [Range(0, 10_000_000)]
    public int InFlightMiB { get; set; }
}
