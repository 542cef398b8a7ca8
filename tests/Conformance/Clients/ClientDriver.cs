using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Tests.Common;
using Google.Protobuf;

namespace Cluster.Conformance.Clients;

/// <summary>
/// A client that is not ours, in a process of its own: grpcio with http.client, or @grpc/grpc-js with Node's http. Calls may run
/// concurrently. A target is <c>host:port</c>, a method <c>package.Service/Method</c>. A call that fails is a result, not an exception;
/// every method throws <see cref="DriverException"/> when the driver itself fails. A cancellation token only gives up the answer.
/// </summary>
public sealed class ClientDriver : IAsyncDisposable
{
    /// <summary>What precedes the name of a method of the inference service.</summary>
    public const string InferenceService = "inference.GRPCInferenceService/";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly DriverProcess _process;

    private ClientDriver(string name, DriverProcess process)
    {
        Name = name;
        _process = process;
    }

    /// <summary><c>python</c> or <c>node</c>.</summary>
    public string Name { get; }

    /// <summary>Versions of the language and of the client libraries.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; private set; } = new Dictionary<string, string>();

    /// <summary>How long a call may take before it counts as a failure of the driver; a call's own deadline is not shortened by it.</summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <exception cref="DriverException">Python, grpcio, protobuf or protoc is missing.</exception>
    public static Task<ClientDriver> StartPythonAsync(CancellationToken cancellationToken = default)
    {
        var generated = Path.Combine(AppContext.BaseDirectory, "python-generated");
        return StartAsync(
            "python",
            "/usr/bin/python3",
            [Source("python", "driver.py"), "--protos", Protos(), Source("protos"), "--generated", generated],
            "the Debian packages python3-grpcio, python3-protobuf and protobuf-compiler",
            cancellationToken);
    }

    /// <returns>Null where there is no Node.js.</returns>
    /// <exception cref="DriverException">The npm packages are missing.</exception>
    public static async Task<ClientDriver?> StartNodeAsync(CancellationToken cancellationToken = default) =>
        !Requires.HasNode ? null : await StartAsync(
            "node",
            "node",
            [Source("node", "driver.mjs"), "--protos", Protos(), "--protos", Source("protos")],
            "Node 20 and the npm packages of tests/Conformance/Clients/node",
            cancellationToken);

    public async Task<GrpcResult<T>> UnaryAsync<T>(
        string target, string method, IMessage request, CallOptions? options = null, CancellationToken cancellationToken = default)
        where T : class, IMessage<T>, new() =>
        DriverJson.Unary<T>(await SendAsync(DriverJson.Unary(target, method, request, options), options?.Timeout, cancellationToken));

    /// <summary>Sends bytes that need not be a message, and returns the response's bytes unparsed.</summary>
    public async Task<GrpcResult<byte[]>> RawUnaryAsync(
        string target, string method, ReadOnlyMemory<byte> request, CallOptions? options = null, CancellationToken cancellationToken = default) =>
        DriverJson.RawUnary(await SendAsync(DriverJson.RawUnary(target, method, request, options), options?.Timeout, cancellationToken));

    /// <summary>A call with a stream of requests and one of responses.</summary>
    public async Task<GrpcStreamResult<T>> StreamAsync<T>(
        string target, string method, IEnumerable<IMessage> requests, StreamOptions? options = null, CancellationToken cancellationToken = default)
        where T : class, IMessage<T>, new() =>
        DriverJson.Stream<T>(await SendAsync(DriverJson.Stream(target, method, requests, options), options?.Timeout, cancellationToken));

    /// <summary>A call with one request and a stream of responses.</summary>
    public async Task<GrpcStreamResult<T>> ServerStreamAsync<T>(
        string target, string method, IMessage request, StreamOptions? options = null, CancellationToken cancellationToken = default)
        where T : class, IMessage<T>, new() =>
        DriverJson.Stream<T>(await SendAsync(DriverJson.ServerStream(target, method, request, options), options?.Timeout, cancellationToken));

    /// <summary>Returns at once with a unary call that goes on until it ends or is cancelled.</summary>
    public RunningCall<T, GrpcResult<T>> StartUnary<T>(string target, string method, IMessage request, CallOptions? options = null)
        where T : class, IMessage<T>, new() =>
        Start<T, GrpcResult<T>>(DriverJson.Unary(target, method, request, options), DriverJson.Unary<T>);

    /// <summary>Returns at once with a call that goes on until it ends or is cancelled.</summary>
    public RunningCall<T, GrpcStreamResult<T>> StartStream<T>(
        string target, string method, IEnumerable<IMessage> requests, StreamOptions? options = null)
        where T : class, IMessage<T>, new() =>
        Start<T, GrpcStreamResult<T>>(DriverJson.Stream(target, method, requests, options), DriverJson.Stream<T>);

    /// <summary>Returns at once with a call that goes on until it ends or is cancelled.</summary>
    public RunningCall<T, GrpcStreamResult<T>> StartServerStream<T>(string target, string method, IMessage request, StreamOptions? options = null)
        where T : class, IMessage<T>, new() =>
        Start<T, GrpcStreamResult<T>>(DriverJson.ServerStream(target, method, request, options), DriverJson.Stream<T>);

    public async Task<HttpResult> HttpAsync(HttpCall call, CancellationToken cancellationToken = default) =>
        DriverJson.Http(await SendAsync(DriverJson.Http(call), call.Timeout, cancellationToken));

    /// <summary><paramref name="concurrency"/> workers, each sending its next call when its last is answered, for <paramref name="duration"/>.</summary>
    public async Task<LoadResult> LoadAsync(
        string target,
        string method,
        IMessage request,
        int concurrency,
        TimeSpan duration,
        CallOptions? options = null,
        CancellationToken cancellationToken = default) =>
        DriverJson.Load(await SendAsync(DriverJson.Load(target, method, request, concurrency, duration, options), duration, cancellationToken));

    /// <summary>Ends the process, and with it the calls under way.</summary>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<ClientDriver> StartAsync(
        string name, string program, IEnumerable<string> arguments, string needs, CancellationToken cancellationToken)
    {
        DriverProcess? process = null;
        try
        {
            process = DriverProcess.Start(name, program, arguments);
            var driver = new ClientDriver(name, process);
            var answer = await process.SendAsync(process.NextId(), new JsonObject { ["op"] = "version" }, StartTimeout, cancellationToken);
            driver.Versions = DriverJson.Texts(answer.GetProperty("versions"));
            return driver;
        }
        catch (Exception failure)
        {
            if (process is not null)
            {
                await process.DisposeAsync();
            }

            if (failure is DriverException)
            {
                throw new DriverException($"{failure.Message}\nThe {name} client driver needs {needs}, which ./test installs.", failure);
            }

            throw;
        }
    }

    private RunningCall<T, TResult> Start<T, TResult>(JsonObject command, Func<JsonElement, TResult> read)
        where T : class, IMessage<T>, new()
    {
        var id = _process.NextId();
        return new RunningCall<T, TResult>(CompleteAsync(), AwaitResponsesAsync, CancelAsync);

        async Task<TResult> CompleteAsync() => read(await _process.SendAsync(id, command, Timeout.InfiniteTimeSpan, CancellationToken.None));

        async Task<IReadOnlyList<T>> AwaitResponsesAsync(int count, TimeSpan timeout, CancellationToken cancellationToken) =>
            DriverJson.Responses<T>(await SendAsync(DriverJson.AwaitResponses(id, count, timeout), timeout, cancellationToken));

        Task CancelAsync(CancellationToken cancellationToken) => SendAsync(DriverJson.Cancel(id), null, cancellationToken);
    }

    private Task<JsonElement> SendAsync(JsonObject command, TimeSpan? callTimeout, CancellationToken cancellationToken) =>
        _process.SendAsync(_process.NextId(), command, AnswerTimeout + (callTimeout ?? TimeSpan.Zero), cancellationToken);

    private static string Source(params string[] path) => Path.Combine([Root(), "tests", "Conformance", "Clients", .. path]);

    private static string Protos() => Path.Combine(Root(), "contracts", "Protos");

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DriverException($"{AppContext.BaseDirectory} is not inside the repository: no Cluster.sln above it.");
    }
}
