using Google.Protobuf;

namespace Cluster.Gateway.Grpc;

/// <summary>The answers of a stream as messages; see <see cref="GrpcStreamWriter"/>.</summary>
/// <typeparam name="T">The response's message type.</typeparam>
public sealed class GrpcStreamWriter<T>
    where T : IMessage<T>
{
    private readonly GrpcStreamWriter _writer;

    internal GrpcStreamWriter(GrpcStreamWriter writer) => _writer = writer;

    /// <summary>Sends one message; waits, is safe to call concurrently and throws like <see cref="GrpcStreamWriter.WriteAsync"/>.</summary>
    public ValueTask WriteAsync(T message) => _writer.WriteAsync(TypedMethods.Serialize(message));
}
