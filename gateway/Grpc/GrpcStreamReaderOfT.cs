using Google.Protobuf;

namespace Cluster.Gateway.Grpc;

/// <summary>The requests of a stream as messages; see <see cref="GrpcStreamReader"/>.</summary>
/// <typeparam name="T">The request's message type.</typeparam>
public sealed class GrpcStreamReader<T>
    where T : class, IMessage<T>
{
    private readonly GrpcStreamReader _reader;
    private readonly MessageParser<T> _parser;

    internal GrpcStreamReader(GrpcStreamReader reader, MessageParser<T> parser)
    {
        _reader = reader;
        _parser = parser;
    }

    /// <summary>
    /// The next message, or null once the client has ended its side. Throws a ServingException (INVALID_ARGUMENT) for bytes that are no
    /// such message.
    /// </summary>
    public async ValueTask<T?> ReadAsync() =>
        await _reader.ReadAsync().ConfigureAwait(false) is { } bytes ? TypedMethods.Parse(_parser, bytes) : null;
}
