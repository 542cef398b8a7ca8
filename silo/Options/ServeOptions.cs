using System.ComponentModel.DataAnnotations;
using System.Net;
using Cluster.Contracts.Options;
using Cluster.Gateway.Security;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Options;

/// <summary>
/// Everything that can be set from outside: as a command-line option (<c>--http-port</c>), as a configuration key (<c>Cluster:HttpPort</c> in
/// appsettings.json) and as an environment variable (<c>Cluster__HttpPort</c>). The command line wins over the environment, that over the file.
/// </summary>
[Section(Section)]
public sealed class ServeOptions : IValidatableObject
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Cluster";

    private const string PollExpected = "0, or 0.1 to 86400";

    /// <summary>What the process is; the command line's first word. Default all.</summary>
    public ServeRole Role { get; set; }

    /// <summary>
    /// Folder of models, <c>&lt;name&gt;/&lt;version&gt;/model.onnx</c>, or the same in object storage, <c>s3://bucket/prefix</c>. Default <c>models</c> in the current folder, unless
    /// <see cref="Config"/> is given.
    /// </summary>
    [Place]
    public string? Models { get; set; }

    /// <summary>A config.json in OpenVINO Model Server's form. Default none.</summary>
    [Text("a file")]
    public string? Config { get; set; }

    /// <summary>
    /// Folder that clients may register models from, or <c>s3://bucket/prefix</c>. Default that of <see cref="Models"/>. Without either no model can be registered.
    /// </summary>
    [Place]
    public string? RegisteredModels { get; set; }

    /// <summary>
    /// A JSON file of storage sources. Clients may register their models by <c>s3://</c> or storage key (docs/object-storage.md). Default none. Read again when it changes.
    /// </summary>
    [Text("a file")]
    public string? Storage { get; set; }

    /// <summary>Folder that keeps the files from object storage. Default <c>cluster-storage-cache</c> in the system's temporary folder.</summary>
    [Text("a folder")]
    public string? StorageCache { get; set; }

    /// <summary>True: a model is loaded only when its manifest is signed by a key of <see cref="ModelKeys"/>. Default false.</summary>
    public bool RequireSignedModels { get; set; }

    /// <summary>A PEM file of the public keys that models may be signed with. Default none: then signatures are not checked.</summary>
    [Text("a PEM file")]
    public string? ModelKeys { get; set; }

    /// <summary>A file of keys that models are encrypted with, one a line: 32 bytes in base64 or hexadecimal digits. Default none.</summary>
    [Text("a file")]
    public string? ModelKeyFile { get; set; }

    /// <summary>The address to listen on. Default 127.0.0.1.</summary>
    [IpAddress]
    public string Bind { get; set; } = "127.0.0.1";

    /// <summary>Port of REST, metrics and health. 0 takes a free one. Default 8000.</summary>
    [Range(0, 65535)]
    public int HttpPort { get; set; } = 8000;

    /// <summary>Port of gRPC. 0 takes a free one. Default 8001.</summary>
    [Range(0, 65535)]
    public int GrpcPort { get; set; } = 8001;

    /// <summary>
    /// A port on which alone models are changed and metrics read, of a process that takes clients' requests. 0, the default, is none: <see cref="HttpPort"/> and <see cref="GrpcPort"/>
    /// do it too. It speaks HTTP/1.1, and with TLS also gRPC.
    /// </summary>
    [Range(0, 65535)]
    public int ManagementPort { get; set; }

    /// <summary>
    /// A PEM file with the certificate of the ports for clients, followed by those between it and its root. Default none: the ports speak no TLS. Read again when it
    /// changes.
    /// </summary>
    [Text("a PEM file")]
    public string? TlsCert { get; set; }

    /// <summary>A PEM file with the private key of <see cref="TlsCert"/>.</summary>
    [Text("a PEM file")]
    public string? TlsKey { get; set; }

    /// <summary>A PEM file with the authorities of clients' certificates. Default none: clients are asked for no certificate.</summary>
    [Text("a PEM file")]
    public string? TlsClientCa { get; set; }

    /// <summary>A file with the revocation lists of <see cref="TlsClientCa"/>, PEM or DER. Default none.</summary>
    [Text("a file")]
    public string? TlsCrl { get; set; }

    /// <summary><c>Required</c>, the default: where <see cref="TlsClientCa"/> is given, each connection shows a certificate. <c>Optional</c>: those without name themselves by key or token.</summary>
    public ClientCertificateUse TlsClientCert { get; set; }

    /// <summary>A file of clients and their rights, <c>access.json</c> (docs/security.md). Default none: clients need no identity.</summary>
    [Text("a file")]
    public string? Access { get; set; }

    /// <summary>
    /// A JSON Web Key Set with the public keys of signed tokens (JWT), a file or an <c>https://</c> address; needs <see cref="Access"/>, <c>Tokens:Issuer</c> and <c>Tokens:Audience</c>. Default none.
    /// </summary>
    [KeySet]
    public string? TokenKeys { get; set; }

    /// <summary>A file for the log of changes and refusals by client, a JSON object a line. Default none.</summary>
    [Text("a file")]
    public string? AuditLog { get; set; }

    /// <summary>
    /// The Redis that the processes of a cluster share: <c>host:port</c>, several separated by commas. Default none: this process is the whole cluster.
    /// </summary>
    [Endpoints]
    public string? Redis { get; set; }

    /// <summary>The ACL user of Redis, which needs a password. Default Redis' default user.</summary>
    [Text("a name")]
    public string? RedisUser { get; set; }

    /// <summary>A file with the password of Redis. White space around it is left out. Default none.</summary>
    [Text("a file")]
    public string? RedisPasswordFile { get; set; }

    /// <summary>True: the connection to Redis is TLS, and its certificate and host name are checked. Default false.</summary>
    public bool RedisTls { get; set; }

    /// <summary>A PEM file with the only trusted authorities for Redis' certificate. Default those of the machine.</summary>
    [Text("a PEM file")]
    public string? RedisTlsCa { get; set; }

    /// <summary>A PEM file with the certificate that this process shows Redis. Default none.</summary>
    [Text("a PEM file")]
    public string? RedisTlsCert { get; set; }

    /// <summary>A PEM file with the private key of <see cref="RedisTlsCert"/>.</summary>
    [Text("a PEM file")]
    public string? RedisTlsKey { get; set; }

    /// <summary>Processes with the same Redis and another name are another cluster: 1 to 63 letters, digits, dots, dashes or underscores. Default "cluster".</summary>
    [RegularExpression("[A-Za-z0-9._-]{1,63}", ErrorMessage = "1 to 63 letters, digits, dots, dashes or underscores")]
    public string ClusterId { get; set; } = "cluster";

    /// <summary>Port for the other processes of the cluster. 0 takes a free one. Default 8002.</summary>
    [Range(0, 65535)]
    public int SiloPort { get; set; } = 8002;

    /// <summary>
    /// The IP address under which the other processes reach this one. Default that of <see cref="Bind"/>, or where that is every address, this machine's first
    /// that is not loopback.
    /// </summary>
    [ReachableAddress]
    public string? Advertise { get; set; }

    /// <summary>
    /// A PEM file with the certificate that this process shows the others of its cluster, then those between it and its authority. It names
    /// <c>cluster://&lt;cluster id&gt;/silo</c> or <c>…/gateway</c> as a URI. Default none: connections with other processes are plain.
    /// </summary>
    [Text("a PEM file")]
    public string? PeerCert { get; set; }

    /// <summary>A PEM file with the private key of <see cref="PeerCert"/>, without a passphrase.</summary>
    [Text("a PEM file")]
    public string? PeerKey { get; set; }

    /// <summary>A PEM file with the only trusted authorities for the certificates of other processes.</summary>
    [Text("a PEM file")]
    public string? PeerCa { get; set; }

    /// <summary>
    /// A file with the revocation lists of the authorities of <see cref="PeerCa"/>, PEM or one in DER. Default none: revocation is not checked. With it, every issuer
    /// needs a list that is not out of date, or its certificates are refused.
    /// </summary>
    [Text("a PEM or DER file")]
    public string? PeerCrl { get; set; }

    /// <summary>
    /// True: the process may listen beyond loopback without TLS or identity. Default false: it refuses to start so. With true any machine that reaches its ports can
    /// act as a member or client.
    /// </summary>
    public bool Insecure { get; set; }

    /// <summary>Labels of this silo, for models that need or prefer them: names separated by commas. Default none.</summary>
    [Labels]
    public string Labels { get; set; } = "";

    /// <summary>Seconds between two looks at the repository, 0.1 to 86,400; 0 looks only when asked. Default 1.</summary>
    [Range(0.0, 86_400.0, ErrorMessage = PollExpected)]
    public double PollSeconds { get; set; } = 1;

    /// <summary>The largest request, MiB, 1 to 2000. Default 256.</summary>
    [Range(1, 2000)]
    public int MaxMessageMiB { get; set; } = 256;

    /// <summary>
    /// Connections of clients over both ports, 1 to 1,000,000; 0, the default, is the process' limit of file descriptors less 384. Where all are open, the one that has
    /// been idle for the longest is closed.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>
    /// Bytes that loaded models may take together: a number with KiB, MiB, GiB, TiB or no unit for bytes, at least 1 MiB; or <c>unlimited</c>. Null, the
    /// default, takes 60 % of the memory that the process may use: its control group's limit, else the machine's memory. More keeps more models loaded, and
    /// leaves less for what they need while they run, for requests and for the process itself.
    /// </summary>
    [Capacity]
    public string? Capacity { get; set; }

    /// <summary>
    /// Folder that a wheel with OpenVINO was unpacked to, for models with <c>execution_provider</c> <c>openvino</c> or <c>auto</c>. Default none. The variable
    /// <c>CLUSTER_OPENVINO</c> sets it too.
    /// </summary>
    [Text("a folder")]
    public string? Openvino { get; set; }

    /// <summary>Folder that keeps compiled graphs of models with <c>cache</c> in their <c>provider_options</c>. Default <c>cluster-openvino-cache</c> in the system's temporary folder.</summary>
    [Text("a folder")]
    public string? OpenvinoCache { get; set; }

    /// <summary>MiB that compiled graphs may take, 1 to 1,048,576. Default 1024. Less compiles more often.</summary>
    [Range(1, 1_048_576)]
    public int OpenvinoCacheMiB { get; set; } = 1024;

    /// <summary>Threads that run models, 1 to 4096; 0, the default, takes four a processor and at least 8.</summary>
    [Range(0, 4096)]
    public int InferenceThreads { get; set; }

    /// <summary>Requests that may wait in front of one model replica, 0 to 1,000,000. Default 1000.</summary>
    [Range(0, 1_000_000)]
    public int QueueLimit { get; set; } = 1000;

    /// <summary>
    /// MiB of requests that may wait in front of one model replica, 0 to 1,048,576; a model's queue_mib takes its place. 0, the default, is half of what large messages may take together
    /// on the silo, a sixth of the memory for weights and runs. More lets one model's burst keep out the others' large requests, less refuses earlier.
    /// </summary>
    [Range(0, 1_048_576)]
    public int QueueMiB { get; set; }

    /// <summary>
    /// Expected wait in front of a replica above which a request is refused at once, 0 to 3,600,000 ms. A model's queue_delay_ms takes its place. Default 0, none. A few run times keep
    /// answers timely under overload.
    /// </summary>
    [Range(0, 3_600_000)]
    public int QueueDelayMs { get; set; }

    /// <summary>
    /// Seconds after which a run of a model is asked to end, 0 to 86,400. Four times the longest run that its replica has answered counts where that is more. Default 600, 0 never ends one.
    /// Less frees the slots of hung runs sooner, and ends long runs that are in order.
    /// </summary>
    [Range(0, 86_400)]
    public int StuckRunSeconds { get; set; } = 600;

    /// <summary>Seconds that a stop may take to finish running requests, 1 to 3600. Default 30.</summary>
    [Range(1, 3600)]
    public int StopSeconds { get; set; } = 30;

    /// <summary>
    /// Seconds that a gateway still serves, without being ready, after it was told to stop, 0 to 3600. Then <c>StopSeconds</c> begin. Default 0. Give load balancers
    /// the time that they take to see it. Longer delays the stop.
    /// </summary>
    [Range(0, 3600)]
    public int DrainSeconds { get; set; }

    /// <summary>Models that must answer for the process to be ready, 0 to 1,000,000. Default 0: an empty or broken repository is ready too.</summary>
    [Range(0, 1_000_000)]
    public int MinReadyModels { get; set; }

    /// <summary>The name in the server's metadata. Default "cluster".</summary>
    [Text("a name")]
    public string ServerName { get; set; } = "cluster";

    /// <summary><c>text</c>, the default, or <c>json</c>.</summary>
    [AllowedValues("text", "json")]
    public string LogFormat { get; set; } = "text";

    /// <summary><c>Trace</c>, <c>Debug</c>, <c>Information</c>, the default, <c>Warning</c> or <c>Error</c>.</summary>
    [AllowedValues(LogLevel.Trace, LogLevel.Debug, LogLevel.Information, LogLevel.Warning, LogLevel.Error)]
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Redis is null && Role != ServeRole.All)
        {
            yield return new ValidationResult($"host:port, which a {Role.ToString().ToLowerInvariant()} needs", [nameof(Redis), nameof(Role)]);
        }

        (bool IsGiven, string Name, bool HasOther, string Other, string OtherName)[] pairs =
        [
            (RequireSignedModels, nameof(RequireSignedModels), ModelKeys is not null, "--model-keys", nameof(ModelKeys)),
            (RedisPasswordFile is not null, nameof(RedisPasswordFile), Redis is not null, "--redis", nameof(Redis)),
            (RedisUser is not null, nameof(RedisUser), RedisPasswordFile is not null, "--redis-password-file", nameof(RedisPasswordFile)),
            (RedisTls, nameof(RedisTls), Redis is not null, "--redis", nameof(Redis)),
            (RedisTlsCa is not null, nameof(RedisTlsCa), RedisTls, "--redis-tls", nameof(RedisTls)),
            (RedisTlsCert is not null, nameof(RedisTlsCert), RedisTls, "--redis-tls", nameof(RedisTls)),
            (RedisTlsCert is not null, nameof(RedisTlsCert), RedisTlsKey is not null, "--redis-tls-key", nameof(RedisTlsKey)),
            (RedisTlsKey is not null, nameof(RedisTlsKey), RedisTlsCert is not null, "--redis-tls-cert", nameof(RedisTlsCert)),
            (TlsCert is not null, nameof(TlsCert), TlsKey is not null, "--tls-key", nameof(TlsKey)),
            (TlsKey is not null, nameof(TlsKey), TlsCert is not null, "--tls-cert", nameof(TlsCert)),
            (TlsClientCa is not null, nameof(TlsClientCa), TlsCert is not null, "--tls-cert", nameof(TlsCert)),
            (TlsCrl is not null, nameof(TlsCrl), TlsClientCa is not null, "--tls-client-ca", nameof(TlsClientCa)),
            (TokenKeys is not null, nameof(TokenKeys), Access is not null, "--access", nameof(Access)),
            (PeerCert is not null, nameof(PeerCert), Redis is not null, "--redis", nameof(Redis)),
            (PeerCert is not null, nameof(PeerCert), PeerKey is not null, "--peer-key", nameof(PeerKey)),
            (PeerCert is not null, nameof(PeerCert), PeerCa is not null, "--peer-ca", nameof(PeerCa)),
            (PeerKey is not null, nameof(PeerKey), PeerCert is not null, "--peer-cert", nameof(PeerCert)),
            (PeerCa is not null, nameof(PeerCa), PeerCert is not null, "--peer-cert", nameof(PeerCert)),
            (PeerCrl is not null, nameof(PeerCrl), PeerCert is not null, "--peer-cert", nameof(PeerCert)),
        ];
        foreach (var (_, name, _, other, otherName) in pairs.Where(static pair => pair.IsGiven && !pair.HasOther))
        {
            yield return new ValidationResult($"nothing without {other}", [name, otherName]);
        }

        if (!Insecure && IsOpen(Bind) && Missing() is { } missing)
        {
            yield return new ValidationResult($"a loopback address without {missing}; or --insecure, which lets every client that reaches it in", [nameof(Bind)]);
        }

        if (Redis is not null && (PeerCert ?? PeerKey ?? PeerCa) is null && !Insecure && OpenAddress() is { } open)
        {
            yield return new ValidationResult(
                $"a certificate for TLS with other processes (and --peer-key, --peer-ca), as {open} is not loopback; or --insecure, where trusted machines alone reach the silo port",
                [nameof(PeerCert), nameof(Bind), nameof(Advertise), nameof(Insecure), nameof(Redis)]);
        }

        if (PollSeconds is > 0 and < 0.1)
        {
            yield return new ValidationResult(PollExpected, [nameof(PollSeconds)]);
        }

        foreach (var taken in Ports().Where(static listen => listen.Port != 0).GroupBy(static listen => listen.Port))
        {
            var (first, firstOption, _) = taken.First();
            foreach (var (name, _, _) in taken.Skip(1))
            {
                yield return new ValidationResult($"another port than {firstOption}", [name, first]);
            }
        }
    }

    /// <summary>What the ports for clients lack to be open to a network; null for nothing.</summary>
    private string? Missing() =>
        TlsCert is null ? "TLS (--tls-cert, --tls-key)"
        : Access is null && (TlsClientCa is null || TlsClientCert != ClientCertificateUse.Required) ? "a way to know clients (--access, or --tls-client-ca)"
        : null;

    /// <summary>The option by which other machines may reach this process; null: none does.</summary>
    private string? OpenAddress() =>
        IsOpen(Bind) ? "--bind" : Advertise is { } advertised && IsOpen(advertised) ? "--advertise" : null;

    private static bool IsOpen(string address) => IPAddress.TryParse(address, out var parsed) && !IPAddress.IsLoopback(parsed);

    /// <summary>What this role listens on.</summary>
    private IEnumerable<(string Name, string Option, int Port)> Ports()
    {
        yield return (nameof(HttpPort), "--http-port", HttpPort);
        if (Role != ServeRole.Silo)
        {
            yield return (nameof(GrpcPort), "--grpc-port", GrpcPort);
            yield return (nameof(ManagementPort), "--management-port", ManagementPort);
        }

        if (Redis is not null)
        {
            yield return (nameof(SiloPort), "--silo-port", SiloPort);
        }
    }
}

/// <summary>What a process is.</summary>
public enum ServeRole
{
    /// <summary>Silo and gateway in one; without Redis it is the whole cluster.</summary>
    All,

    /// <summary>Holds models and runs them; one of many.</summary>
    Silo,

    /// <summary>Takes clients' requests and hands them to silos; one of many.</summary>
    Gateway,
}
