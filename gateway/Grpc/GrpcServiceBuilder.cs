using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Gives the methods of one service their handlers. Methods are named as in the protocol file, without package and service; one that
/// gets no handler answers UNIMPLEMENTED.
/// </summary>
public sealed class GrpcServiceBuilder
{
    /// <summary>
    /// The largest request of a unary method that is parsed into objects, which take many times its length: 4 MiB, the default of other
    /// gRPC servers.
    /// </summary>
    private const int MaxTypedMessage = 4 << 20;

    private readonly GrpcServer _server;
    private readonly ServiceDescriptor _service;
    private readonly Dictionary<string, RequestDelegate> _methods = new(StringComparer.Ordinal);

    internal GrpcServiceBuilder(GrpcServer server, ServiceDescriptor service)
    {
        _server = server;
        _service = service;
    }

    /// <summary>A method of one request and one answer, both as bytes.</summary>
    /// <param name="method">The method's name in the protocol file.</param>
    /// <param name="handler">Owns the request; see <see cref="Grpc.RawUnaryHandler"/>.</param>
    /// <param name="padding">Where to place the request in memory; null to leave it to chance.</param>
    public GrpcServiceBuilder RawUnary(string method, RawUnaryHandler handler, LeadingPadding? padding = null) =>
        Add(method, false, false, path => new UnaryCallHandler(_server, path, handler, padding));

    /// <summary>A method of one request, of at most 4 MiB, and one answer. A handler fails by throwing a ServingException.</summary>
    public GrpcServiceBuilder Unary<TRequest, TResponse>(
        string method, MessageParser<TRequest> parser, Func<GrpcCallContext, TRequest, ValueTask<TResponse>> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        Add(method, false, false, path => new UnaryCallHandler(_server, path, TypedMethods.Unary(parser, handler), padding: null, MaxTypedMessage));

    /// <summary>A method of streams both ways, as bytes.</summary>
    /// <inheritdoc cref="RawUnary"/>
    public GrpcServiceBuilder RawStream(string method, RawStreamHandler handler, LeadingPadding? padding = null) =>
        Add(method, true, true, path => new StreamingCallHandler(_server, path, handler, padding));

    /// <summary>A method of streams both ways. A handler fails by throwing a ServingException.</summary>
    public GrpcServiceBuilder Stream<TRequest, TResponse>(
        string method,
        MessageParser<TRequest> parser,
        Func<GrpcCallContext, GrpcStreamReader<TRequest>, GrpcStreamWriter<TResponse>, ValueTask> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        RawStream(method, TypedMethods.Stream(parser, handler));

    /// <summary>A method of one request and a stream of answers. A handler fails by throwing a ServingException.</summary>
    public GrpcServiceBuilder ServerStream<TRequest, TResponse>(
        string method,
        MessageParser<TRequest> parser,
        Func<GrpcCallContext, TRequest, GrpcStreamWriter<TResponse>, ValueTask> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        Add(method, false, true, path => new StreamingCallHandler(_server, path, TypedMethods.ServerStream(parser, handler), null));

    /// <summary>A method that is known but not offered, and why.</summary>
    public GrpcServiceBuilder Unimplemented(string method, string explanation)
    {
        var descriptor = Find(method);
        return Add(
            method, descriptor.IsClientStreaming, descriptor.IsServerStreaming, path => new UnimplementedCallHandler(_server, path, explanation));
    }

    /// <summary>All methods of the service with their paths.</summary>
    internal IEnumerable<(string Path, RequestDelegate Handler)> Build()
    {
        foreach (var method in _service.Methods)
        {
            var path = PathOf(method.Name);
            yield return (path, _methods.TryGetValue(method.Name, out var handler)
                ? handler
                : new UnimplementedCallHandler(_server, path, explanation: null).HandleAsync);
        }
    }

    private GrpcServiceBuilder Add(string method, bool clientStreams, bool serverStreams, Func<string, GrpcCallHandler> create)
    {
        var descriptor = Find(method);
        if (descriptor.IsClientStreaming != clientStreams || descriptor.IsServerStreaming != serverStreams)
        {
            throw new ArgumentException($"The handler's kind does not fit {descriptor.FullName}: one streams where the other does not.", nameof(method));
        }

        if (!_methods.TryAdd(method, create(PathOf(method)).HandleAsync))
        {
            throw new ArgumentException($"{descriptor.FullName} has a handler already.", nameof(method));
        }

        return this;
    }

    private MethodDescriptor Find(string method) => _service.FindMethodByName(method)
        ?? throw new ArgumentException($"Service {_service.FullName} has no method '{method}'.", nameof(method));

    private string PathOf(string method) => $"/{_service.FullName}/{method}";
}
