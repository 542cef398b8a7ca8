using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Hosting;

/// <summary>What one client's connections may ask of a gateway.</summary>
[Section("Limits")]
public sealed class LimitOptions
{
    /// <summary>
    /// Connections of one address; 0, the default, is half of all. Where an address has so many, the one of them that has been idle for the longest makes way. Lower it where clients
    /// do not share an address, such as that of a proxy.
    /// </summary>
    [Range(0, 1_000_000)]
    public int ConnectionsPerAddress { get; set; }

    /// <summary>
    /// How long a connection takes new requests, up to a tenth more or less. Then the client is told to open another one, and what runs on it is answered. So clients find new gateways.
    /// Default an hour; 0 is for ever.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan ConnectionAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// gRPC calls in flight on one connection. Default 256. A client that resets its calls can have twice as many begun, each some 50 KiB; fewer make clients wait that send more at once.
    /// </summary>
    [Range(1, 100_000)]
    public int StreamsPerConnection { get; set; } = 256;

    /// <summary>
    /// Bytes of inference requests in flight at this gateway, MiB; 0, the default, is half of the memory that the process may use. More are refused with RESOURCE_EXHAUSTED, 429.
    /// </summary>
    [Range(0, 10_000_000)]
    public int InFlightMiB { get; set; }

    /// <summary>
    /// Memory that the large messages of this process, those above 256 KiB, may take together, MiB: requests while they are read and until they are answered, and answers. 0, the default, is
    /// half of the memory that the process may use. What a request takes counts as it comes, inflated and with the smaller buffer that a larger one follows. More are refused with
    /// RESOURCE_EXHAUSTED, 429, before memory is taken for them. Lower refuses sooner; higher lets many uploads at once take what models and answers need.
    /// </summary>
    [Range(0, 10_000_000)]
    public int MessageMemoryMiB { get; set; }

    /// <summary><see cref="MessageMemoryMiB"/> in bytes.</summary>
    internal long MessageMemoryBytes => MessageMemoryMiB > 0 ? (long)MessageMemoryMiB << 20 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;
}
