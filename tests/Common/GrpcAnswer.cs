using Cluster.Contracts.Errors;

namespace Cluster.Tests.Common;

/// <summary>What a server answered to one gRPC call.</summary>
/// <param name="HttpStatus">200 for every answer of gRPC itself.</param>
/// <param name="Status">The <c>grpc-status</c>; null if there was none.</param>
/// <param name="Details">The <c>grpc-message</c>, decoded; empty if there was none.</param>
/// <param name="Body">The messages with their five-byte prefixes, as received.</param>
/// <param name="Metadata">Headers and trailers together; names in lower case.</param>
public sealed record GrpcAnswer(
    int HttpStatus, StatusCode? Status, string Details, ReadOnlyMemory<byte> Body, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The one message.</summary>
    /// <exception cref="InvalidDataException">There is none, or more than one.</exception>
    public ReadOnlyMemory<byte> Message =>
        GrpcFraming.Split(Body) is [var only] ? only : throw new InvalidDataException($"no single message: {this}");

    /// <summary>Every message of a stream.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages => GrpcFraming.Split(Body);

    public override string ToString() => $"HTTP {HttpStatus}, gRPC {Status?.ToString() ?? "without a status"}, '{Details}', {Body.Length} bytes";
}
