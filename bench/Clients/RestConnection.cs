using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Bench.Measurement;

namespace Cluster.Bench.Clients;

/// <summary>One HTTP/1.1 connection that is kept alive, one request at a time: send, then block until the answer is whole.</summary>
internal sealed class RestConnection(IPEndPoint server, byte[] request) : IInferConnection
{
    private readonly Socket _socket = BlockingSocket.Connect(server);
    private byte[] _answer = new byte[16 * 1024];
    private int _expectedLength = -1;

    /// <inheritdoc/>
    public ReadOnlySpan<float> AskOnce()
    {
        var head = Exchange();
        if (Failure(head) is { } failure)
        {
            throw new InvalidDataException(failure);
        }

        _expectedLength = head.ContentLength;
        if (head.JsonLength < 0 || head.JsonLength > head.ContentLength)
        {
            throw new InvalidDataException("the answer carries no binary output, though one was asked for");
        }

        return MemoryMarshal.Cast<byte, float>(_answer.AsSpan(head.Size + head.JsonLength, head.ContentLength - head.JsonLength));
    }

    /// <inheritdoc/>
    public void Run(LoadRecorder recorder)
    {
        while (!recorder.Stopped)
        {
            var start = Stopwatch.GetTimestamp();
            if (Failure(Exchange()) is { } failure)
            {
                recorder.Refused(failure);
            }
            else
            {
                recorder.Complete(start);
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Sends the request; its answer's head and body are in the buffer afterwards.</summary>
    private HttpHead Exchange()
    {
        _socket.SendAll(request);
        var received = 0;
        HttpHead head;
        while (!HttpHead.TryParse(_answer.AsSpan(0, received), out head))
        {
            if (received == _answer.Length)
            {
                throw new InvalidDataException($"the head of an answer takes more than {_answer.Length} bytes");
            }

            received += _socket.ReceiveSome(_answer.AsSpan(received));
        }

        var whole = head.Size + head.ContentLength;
        if (whole > _answer.Length)
        {
            Array.Resize(ref _answer, whole);
        }

        while (received < whole)
        {
            received += _socket.ReceiveSome(_answer.AsSpan(received));
        }

        return head;
    }

    /// <summary>Null if the answer in the buffer is a right one.</summary>
    private string? Failure(HttpHead head)
    {
        if (head.Status != 200)
        {
            return $"HTTP {head.Status}: {Encoding.UTF8.GetString(_answer, head.Size, Math.Min(head.ContentLength, 500))}";
        }

        return _expectedLength >= 0 && head.ContentLength != _expectedLength
            ? $"an answer of {head.ContentLength} bytes, expected {_expectedLength}"
            : null;
    }
}
