using System.Buffers.Binary;
using System.Net;

namespace Cluster.Bench.Load;

/// <summary><c>ModelInfer</c> with raw contents over HTTP/2 without TLS.</summary>
internal sealed class GrpcInferCall(IPEndPoint server, Workload workload) : InferCall
{
    /// <summary>One byte "not compressed" and four of length stand before a message.</summary>
    public const int PrefixSize = 5;

    private readonly GrpcClient _client = new(server);
    private readonly byte[] _message = workload.ToMessage();

    public override Uri Url { get; } = new($"http://{server}/{GrpcClient.InferService}/{GrpcClient.InferMethod}");

    public override IReadOnlyList<string> Headers { get; } = ["content-type: application/grpc", "te: trailers"];

    public override bool IsHttp2 => true;

    public override byte[] Body
    {
        get
        {
            var framed = new byte[PrefixSize + _message.Length];
            BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), _message.Length);
            _message.CopyTo(framed, PrefixSize);
            return framed;
        }
    }

    public override async Task<long> CheckAsync(CancellationToken cancellationToken)
    {
        var answer = await _client.InferAsync(_message, cancellationToken);
        workload.CheckMessage(answer);
        return PrefixSize + answer.Length;
    }

    public override void Dispose() => _client.Dispose();
}
