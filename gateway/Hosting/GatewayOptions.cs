using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Hosting;

/// <summary>Ports and limits of a gateway.</summary>
public sealed class GatewayOptions
{
    /// <summary>The address to listen on. Default 127.0.0.1; 0.0.0.0 or [::] for every interface.</summary>
    [SetBy("Cluster:Bind")]
    public IPAddress Bind { get; set; } = IPAddress.Loopback;

    /// <summary>Port of REST, metrics and health over HTTP/1.1; 0 takes a free one. Default 8000.</summary>
    [SetBy("Cluster:HttpPort")]
    public int HttpPort { get; set; } = 8000;

    /// <summary>Port of gRPC over HTTP/2; 0 takes a free one. Default 8001.</summary>
    [SetBy("Cluster:GrpcPort")]
    public int GrpcPort { get; set; } = 8001;

    /// <summary>
    /// A port on which alone models are changed and metrics read, HTTP/1.1, with TLS also gRPC. Null, the default: the two ports above do it too.
    /// </summary>
    [SetBy("Cluster:ManagementPort")]
    public int? ManagementPort { get; set; }

    /// <summary>The name in the server's metadata; some clients insist on one. Default "cluster".</summary>
    [SetBy("Cluster:ServerName")]
    public string ServerName { get; set; } = "cluster";

    /// <summary>
    /// The largest request message, bytes, over either protocol, also after decompression; 1 KiB to 2,000 MiB. Default 256 MiB. Lower refuses large
    /// tensors, higher lets one request hold that much memory.
    /// </summary>
    [SetBy("Cluster:MaxMessageMiB")]
    public int MaxMessageBytes { get; set; } = 256 << 20;

    /// <summary>Connections of clients, over both ports; null, the default, is what the limit of file descriptors allows.</summary>
    [SetBy("Cluster:MaxConnections")]
    public int? MaxConnections { get; set; }

    /// <summary>How long a process that is told to stop serves on while it is not ready. Default 0.</summary>
    [SetBy("Cluster:DrainSeconds")]
    public TimeSpan DrainTime { get; set; }

    /// <summary>Models that must answer for the process to be ready. Default 0.</summary>
    [SetBy("Cluster:MinReadyModels")]
    public int MinReadyModels { get; set; }
}

/// <summary>Limits of a client's connections at a gateway.</summary>
[Section("Limits")]
public sealed class LimitOptions : IValidatableObject
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
    /// Connections of one address that this gateway closes for floods within 10 s before it holds the address back. It then gets no new connection to that port for 1 s,
    /// and after each further flood for twice as long. Default 20. Fewer hold back clients sooner that share an address with one that floods. 0 holds none back.
    /// </summary>
    [Range(0, 100_000)]
    public int FloodsBeforeHold { get; set; } = 20;

    /// <summary>The longest time that an address is held back. Default a minute. Shorter lets a flood cost more, longer keeps out other clients of its address for longer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LongestHold { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Addresses and networks that are never held back, such as <c>10.0.0.7,10.1.0.0/16</c>. Default none. Name proxies here that pass on the connections of many clients. More
    /// lets more flood without a pause.
    /// </summary>
    public ISet<string> NeverHeld { get; set; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>
    /// Bytes of inference requests in flight at this gateway, MiB. 0, the default, is half of the memory that the process may use. More are refused with
    /// RESOURCE_EXHAUSTED, 429.
    /// </summary>
    [Range(0, 10_000_000)]
    public int InFlightMiB { get; set; }

    /// <summary>
    /// Memory for the messages of this process that are larger than 256 KiB, MiB: requests from their first byte until they are answered, and answers. 0, the default, is
    /// half of the memory that the process may use. A request counts with the memory that it has been given, inflated. Requests beyond are refused with
    /// RESOURCE_EXHAUSTED, 429, before they get more memory. Lower refuses sooner. Higher lets uploads take what models and answers need.
    /// </summary>
    [Range(0, 10_000_000)]
    public int MessageMemoryMiB { get; set; }

    /// <summary><see cref="MessageMemoryMiB"/> in bytes.</summary>
    internal long MessageMemoryBytes => MessageMemoryMiB > 0 ? (long)MessageMemoryMiB << 20 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (NeverHeld.FirstOrDefault(static text => NetworkOf(text) is null) is { } wrong)
        {
            yield return new ValidationResult($"addresses and networks, not '{wrong}'", [nameof(NeverHeld)]);
        }
    }

    /// <summary>Of an address or a network in CIDR form; null for another text.</summary>
    internal static IPNetwork? NetworkOf(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
        : null;
}
