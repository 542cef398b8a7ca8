using Cluster.Contracts.Errors;
using Google.Protobuf;
using Grpc.Core;
using MethodDescriptor = Google.Protobuf.Reflection.MethodDescriptor;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Gives methods of one service handlers of Google.Protobuf messages. Methods are named as in the protocol file; one that gets no handler answers
/// UNIMPLEMENTED. A handler fails by throwing a <see cref="ServingException"/>.
/// </summary>
internal sealed class TypedService(ServiceDescriptor service, CallBoundary boundary)
{
    private static readonly Marshaller<byte[]> Ignored = global::Grpc.Core.Marshallers.Create(static (byte[] bytes) => bytes, static bytes => bytes);

    private readonly ServerServiceDefinition.Builder _definition = ServerServiceDefinition.CreateBuilder();

    /// <summary>A method of one request and one answer.</summary>
    public TypedService Unary<TRequest, TResponse>(
        string method, MessageParser<TRequest> parser, Func<ServerCallContext, TRequest, ValueTask<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>, new()
    {
        _definition.AddMethod(Define<TRequest, TResponse>(MethodType.Unary, method, parser), async (request, call) =>
        {
            try
            {
                var answer = await handler(call, request).ConfigureAwait(false);
                await Answers.BeginAsync(call).ConfigureAwait(false);
                return answer;
            }
            catch (Exception exception)
            {
                throw boundary.Translate(call, exception);
            }
        });
        return this;
    }

    /// <summary>A method of one request and a stream of answers.</summary>
    public TypedService ServerStream<TRequest, TResponse>(
        string method, MessageParser<TRequest> parser, Func<ServerCallContext, TRequest, IServerStreamWriter<TResponse>, ValueTask> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>, new()
    {
        _definition.AddMethod(Define<TRequest, TResponse>(MethodType.ServerStreaming, method, parser), async (request, answers, call) =>
        {
            try
            {
                await Answers.BeginAsync(call).ConfigureAwait(false);
                await handler(call, request, answers).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                throw boundary.Translate(call, exception);
            }
        });
        return this;
    }

    /// <summary>Unary methods that are known but not offered, and why.</summary>
    public TypedService Unimplemented(string explanation, params ReadOnlySpan<string> methods)
    {
        foreach (var method in methods)
        {
            var path = new Method<byte[], byte[]>(MethodType.Unary, service.FullName, Find(method).Name, Ignored, Ignored);
            var failure = new Failure(Contracts.Errors.StatusCode.Unimplemented, $"{path.FullName} is not implemented: {explanation}");
            _definition.AddMethod(path, (byte[] _, ServerCallContext _) => Task.FromException<byte[]>(failure.ToRpcException()));
        }

        return this;
    }

    public ServerServiceDefinition Build() => _definition.Build();

    private Method<TRequest, TResponse> Define<TRequest, TResponse>(MethodType type, string method, MessageParser<TRequest> parser)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>, new() =>
        new(type, service.FullName, Find(method).Name, Marshallers.Of(parser), Marshallers.Of(new MessageParser<TResponse>(static () => new TResponse())));

    private MethodDescriptor Find(string method) => service.FindMethodByName(method)
        ?? throw new ArgumentException($"Service {service.FullName} has no method '{method}'.", nameof(method));
}
