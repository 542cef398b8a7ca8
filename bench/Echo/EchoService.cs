using Cluster.Bench.Load;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Cluster.Bench.Echo;

/// <summary>Answers every request with the same bytes, and decodes none: the least that a server on this library can do for a request of that size.</summary>
/// <param name="answer">A <c>ModelInferResponse</c>.</param>
internal sealed class EchoService(byte[] answer)
{
    public Task<byte[]> AnswerAsync() => Task.FromResult(answer);
}

/// <summary>Tells the library of the one method.</summary>
internal sealed class EchoMethods : IServiceMethodProvider<EchoService>
{
    private static readonly Marshaller<byte[]> Bytes = new(Write, static _ => []);
    private static readonly Method<byte[], byte[]> Infer = new(MethodType.Unary, GrpcClient.InferService, GrpcClient.InferMethod, Bytes, Bytes);

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<EchoService> context) =>
        context.AddUnaryMethod(Infer, [], static (service, _, _) => service.AnswerAsync());

    private static void Write(byte[] message, SerializationContext context)
    {
        context.SetPayloadLength(message.Length);
        var target = context.GetBufferWriter();
        message.CopyTo(target.GetSpan(message.Length));
        target.Advance(message.Length);
        context.Complete();
    }
}
