using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Cluster.Bench.Measurement;
using Cluster.Contracts.Wire;

namespace Cluster.Bench.Clients;

/// <summary>
/// One HTTP/2 connection with a fixed number of ModelInfer calls in flight, all of one thread: it sends what the server's windows
/// allow, blocks in receive, and begins the next call as one is answered. A general HTTP client costs more processor time a
/// request than the server under test, and would be what is measured.
/// </summary>
internal sealed class GrpcConnection : IInferConnection
{
    private const string Path = "/inference.GRPCInferenceService/ModelInfer";

    private readonly Http2Link _link;
    private readonly GrpcStream[] _streams;
    private readonly InferResponseMessage _parsed = new();
    private readonly GrpcFrames _firstFrames;
    private LoadRecorder? _recorder;
    private int _inFlight;
    private int _nextStream = 1;
    private int _expectedLength = -1;

    /// <param name="streams">Calls in flight, at least 1.</param>
    public GrpcConnection(IPEndPoint server, byte[] message, int streams)
    {
        _firstFrames = new GrpcFrames(Http2.FirstHeaders(server.ToString(), Path), message);
        _streams = new GrpcStream[streams];
        for (var i = 0; i < streams; i++)
        {
            _streams[i] = new GrpcStream(new GrpcFrames(Http2.LaterHeaders, message));
        }

        _link = new Http2Link(BlockingSocket.Connect(server), _streams, OnAnswered);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> AskOnce()
    {
        var stream = _streams[0];
        var frames = stream.Frames;
        stream.Frames = _firstFrames;
        Begin(stream);
        while (_inFlight > 0)
        {
            _link.Pump();
        }

        stream.Frames = frames;
        _expectedLength = stream.AnswerLength;
        _link.RequireStreams(_streams.Length);
        return Output(stream.Answer);
    }

    /// <inheritdoc/>
    public void Run(LoadRecorder recorder)
    {
        _recorder = recorder;
        foreach (var stream in _streams)
        {
            Begin(stream);
        }

        while (_inFlight > 0)
        {
            _link.Pump();
        }
    }

    public void Dispose()
    {
        _link.Dispose();
        foreach (var stream in _streams)
        {
            stream.Dispose();
        }
    }

    private void Begin(GrpcStream stream)
    {
        stream.Begin(_nextStream, _link.InitialWindow, Stopwatch.GetTimestamp());
        _nextStream += 2;
        _inFlight++;
        _link.Send(stream);
    }

    private void OnAnswered(GrpcStream stream, string? failure)
    {
        _inFlight--;
        failure ??= _expectedLength >= 0 && stream.AnswerLength != _expectedLength
            ? $"an answer of {stream.AnswerLength} bytes, expected {_expectedLength}"
            : null;
        if (_recorder is not { } recorder)
        {
            if (failure is not null)
            {
                throw new InvalidDataException(failure);
            }

            return;
        }

        if (failure is null)
        {
            recorder.Complete(stream.StartTimestamp);
        }
        else
        {
            recorder.Refused(failure);
        }

        if (!recorder.Stopped)
        {
            Begin(stream);
        }
    }

    private ReadOnlySpan<float> Output(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < GrpcRequest.PrefixSize || answer[0] != 0
            || BinaryPrimitives.ReadUInt32BigEndian(answer[1..]) != (uint)(answer.Length - GrpcRequest.PrefixSize))
        {
            throw new InvalidDataException("the answer is not one uncompressed gRPC message");
        }

        var message = answer[GrpcRequest.PrefixSize..];
        _parsed.Parse(message);
        return _parsed.RawContents is [var raw]
            ? MemoryMarshal.Cast<byte, float>(raw.Of(message))
            : throw new InvalidDataException($"the answer has {_parsed.RawContents.Count} raw outputs, expected 1");
    }
}
