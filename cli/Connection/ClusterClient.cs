using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;
using Cluster.Contracts.Protocol.Mesh;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;

namespace Cluster.Cli.Connection;

/// <summary>Calls of one gateway on its HTTP port: REST, and gRPC-Web for calls that REST lacks.</summary>
internal sealed class ClusterClient : IDisposable
{
    private readonly ClusterConnection _connection;
    private readonly TimeSpan _connectTimeout;
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;
    private readonly HttpClient _web;
    private readonly GrpcChannel _channel;
    private SslPolicyErrors _certificateErrors;

    /// <param name="connectTimeout">Of a connection, its TLS included.</param>
    /// <param name="isCompressed">Whether answers may come compressed.</param>
    public ClusterClient(ClusterConnection connection, TimeSpan connectTimeout, bool isCompressed = true)
    {
        _connection = connection;
        _connectTimeout = connectTimeout;
        _handler = new SocketsHttpHandler
        {
            ConnectTimeout = connectTimeout,
            SslOptions = Tls(),
            AllowAutoRedirect = false,
            AutomaticDecompression = isCompressed ? DecompressionMethods.All : DecompressionMethods.None,
        };
        _http = Client(_handler);
        _web = Client(new GrpcWebHandler(GrpcWebMode.GrpcWeb, _handler));
        _channel = GrpcChannel.ForAddress(connection.Server, new GrpcChannelOptions
        {
            HttpClient = _web,
            HttpVersion = HttpVersion.Version11,
            ThrowOperationCanceledOnCancellation = true,
            MaxReceiveMessageSize = null,
        });
        Models = new Contracts.Protocol.Mesh.ModelMesh.ModelMeshClient(_channel);
        Registry = new ModelMeshRegistry.ModelMeshRegistryClient(_channel);
    }

    public Contracts.Protocol.Mesh.ModelMesh.ModelMeshClient Models { get; }

    public ModelMeshRegistry.ModelMeshRegistryClient Registry { get; }

    /// <summary>When the server's certificate ends, once there was a connection with TLS.</summary>
    public DateTimeOffset? ServerCertificateEnd { get; private set; }

    public async Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        return await ReadAsync(answer, cancellationToken);
    }

    public async Task<string> GetTextAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        return await answer.Content.ReadAsStringAsync(cancellationToken);
    }

    public async Task<JsonNode> PostAsync(string path, HttpContent? body, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = body }, cancellationToken);
        return await ReadAsync(answer, cancellationToken);
    }

    /// <summary>Posts, and reads the answer to its end without looking into it.</summary>
    /// <exception cref="CommandFailure">It is refused, or the server is not reachable.</exception>
    public async Task SendOnceAsync(string path, HttpContent body, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = body }, cancellationToken);
        await answer.Content.CopyToAsync(Stream.Null, cancellationToken);
    }

    /// <summary>Whether a path answers with success; 503 is no.</summary>
    public async Task<bool> IsReadyAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken, HttpStatusCode.ServiceUnavailable);
        return answer.IsSuccessStatusCode;
    }

    /// <summary>Opens the stream of events, after the one of that id.</summary>
    public async Task<HttpResponseMessage> OpenEventsAsync(string? lastId, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Paths.Events);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        return await SendAsync(request, cancellationToken);
    }

    /// <summary>A gRPC call with failures in the form of REST's.</summary>
    public async Task<T> CallAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            using (call)
            {
                return await call;
            }
        }
        catch (RpcException exception) when (exception.Status.DebugException is HttpRequestException inner)
        {
            throw NotReachable(inner);
        }
        catch (OperationCanceledException exception) when (IsConnectTimeout(exception))
        {
            throw NoConnectionInTime(exception);
        }
        catch (RpcException exception)
        {
            throw CommandFailure.Failed(exception.StatusCode switch
            {
                StatusCode.Unauthenticated => Unauthenticated(exception.Status.Detail),
                StatusCode.Unimplemented => $"{_connection.Server} does not offer registrations and aliases; a gateway with --management-port has them on that port alone",
                _ => exception.Status.Detail,
            }, exception);
        }
    }

    public void Dispose()
    {
        _channel.Dispose();
        _web.Dispose();
        _http.Dispose();
        _handler.Dispose();
    }

    private static string Unauthenticated(string message) => $"{message}; a key is given by --key-file, CLUSTER_KEY or the profile's api-key-file, a certificate by --cert and --cert-key";

    /// <summary>The handler tells its own limit as a cancellation, and gRPC that as another.</summary>
    private static bool IsConnectTimeout(OperationCanceledException exception) =>
        exception.InnerException is TimeoutException || (exception.InnerException is OperationCanceledException inner && IsConnectTimeout(inner));

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonNode.ParseAsync(body, cancellationToken: cancellationToken) ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw CommandFailure.Failed($"{answer.RequestMessage?.RequestUri} answered no JSON: it may be no gateway of Cluster", exception);
        }
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        var message = text.StartsWith('{') && Fields.TryParse(text) is { } body && body.Text("error") is { Length: > 0 } error
            ? error
            : $"{answer.RequestMessage?.RequestUri} answered {(int)answer.StatusCode} without saying why: it may be no gateway of Cluster";
        return answer.StatusCode == HttpStatusCode.Unauthorized ? Unauthenticated(message) : message;
    }

    private HttpClient Client(HttpMessageHandler handler)
    {
        // The verb's own limit ends a request.
        var client = new HttpClient(handler, disposeHandler: false) { BaseAddress = _connection.Server, Timeout = Timeout.InfiniteTimeSpan };
        if (_connection.Credential is { } credential)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        }

        return client;
    }

    private SslClientAuthenticationOptions Tls()
    {
        var options = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                ServerCertificateEnd = certificate is X509Certificate2 shown ? new DateTimeOffset(shown.NotAfter) : null;
                _certificateErrors = errors;
                return errors == SslPolicyErrors.None;
            },
        };
        if (_connection.Authorities is { } authorities)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        if (_connection.Certificate is { } own)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
        }

        return options;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken, HttpStatusCode? alsoFine = null)
    {
        using (request)
        {
            HttpResponseMessage answer;
            try
            {
                answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            }
            catch (HttpRequestException exception)
            {
                throw NotReachable(exception);
            }
            catch (OperationCanceledException exception) when (IsConnectTimeout(exception))
            {
                throw NoConnectionInTime(exception);
            }

            if (answer.IsSuccessStatusCode || answer.StatusCode == alsoFine)
            {
                return answer;
            }

            using (answer)
            {
                throw CommandFailure.Failed(await ErrorAsync(answer, cancellationToken));
            }
        }
    }

    private CommandFailure NoConnectionInTime(Exception exception) => CommandFailure.NotReachable(
        $"{_connection.Server} is not reachable: no connection within {_connectTimeout.TotalSeconds:0.#} s; a firewall may drop what is sent to it, or it may speak no TLS", exception);

    private CommandFailure NotReachable(HttpRequestException exception)
    {
        var server = _connection.Server;
        var why = exception.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => $"the name {server.Host} is unknown",
            HttpRequestError.ConnectionError => "no connection; is a gateway started there?",
            HttpRequestError.SecureConnectionError when _certificateErrors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => $"its certificate is not for {server.Host}",
            HttpRequestError.SecureConnectionError when _certificateErrors != SslPolicyErrors.None => "its certificate is not of a trusted authority, or out of date; --ca or the profile's ca names authorities",
            HttpRequestError.SecureConnectionError => "TLS was refused; it may speak no TLS, or ask for a certificate of this client (--cert, --cert-key)",
            _ => "the connection ended before an answer; it may ask for TLS (https://) or for a certificate of this client",
        };
        return CommandFailure.NotReachable($"{server} is not reachable: {why}", exception);
    }
}

/// <summary>The gateway's routes, as docs/rest.md has them.</summary>
internal static class Paths
{
    public const string Server = "/v2";
    public const string Ready = "/v2/health/ready";
    public const string Cluster = "/v2/cluster";
    public const string Events = "/v2/cluster/events";
    public const string Aliases = "/v2/aliases";
    public const string Metrics = "/metrics";

    /// <param name="version">Null where the server chooses.</param>
    public static string Model(string model, string? version = null) => $"/v2/models/{Uri.EscapeDataString(model)}{(version is null ? "" : $"/versions/{Uri.EscapeDataString(version)}")}";

    public static string Load(string model) => $"/v2/repository/models/{Uri.EscapeDataString(model)}/load";

    public static string Unload(string model) => $"/v2/repository/models/{Uri.EscapeDataString(model)}/unload";

    public static string Scale(string model) => $"/v2/repository/models/{Uri.EscapeDataString(model)}/scale";

    /// <param name="drains">Whether to drain the silo, or to have it take replicas again.</param>
    public static string Drain(string silo, bool drains) => $"/v2/cluster/silos/{Uri.EscapeDataString(silo)}/{(drains ? "drain" : "undrain")}";

    public static string Traffic(string alias) => $"/v2/aliases/{Uri.EscapeDataString(alias)}/traffic";

    public static string Placement(string model) => $"/v2/cluster/models/{Uri.EscapeDataString(model)}/placement";
}
