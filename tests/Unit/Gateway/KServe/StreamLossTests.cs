using Cluster.Contracts.Buffers;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.KServe;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Grpc;
using Cluster.Unit.Gateway.Rest;
using Cluster.Unit.Serving;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Gateway.KServe;

/// <summary>A stream whose answer cannot be written, with others behind it. Counts the buffers of the whole process, hence alone.</summary>
[Collection(nameof(AllocationCollection))]
public sealed class StreamLossTests : IDisposable
{
    private readonly TaskCompletionSource _allRun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualTimeProvider _time = new();
    private readonly TestLifetime _lifetime = new();
    private readonly LogSink _log = new();
    private readonly LoggerFactory _loggers;
    private readonly FakeServingApi _api = new();

    public StreamLossTests() => _loggers = new LoggerFactory([_log]);

    public void Dispose()
    {
        _lifetime.Dispose();
        _loggers.Dispose();
    }

    [Fact]
    public async Task Run_WriteFails_StopsWhatRunsAndGivesBackTheAnswersBehind()
    {
        var stopped = false;
        _api.Infer = async (_, request, token) =>
        {
            if (request.Id == "slow")
            {
                _allRun.SetResult();
                await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                stopped = true;
            }

            return FakeServingApi.Answer(new ModelInferResponse { Id = request.Id });
        };
        var before = PayloadBuffer.Outstanding;

        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync("first", "done", "slow").Soon());

        Assert.True(stopped);
        Assert.Equal(before, PayloadBuffer.Outstanding);
        Assert.Empty(_log.Problems);
    }

    /// <summary>The client is told of the first failure; the log has the other.</summary>
    [Fact]
    public async Task Run_WriteFailsAndARequestBehindFailsUnexpectedly_IsLogged()
    {
        _api.Infer = async (_, request, token) =>
        {
            if (request.Id == "slow")
            {
                _allRun.SetResult();
                await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new NotSupportedException("broken");
            }

            return FakeServingApi.Answer(new ModelInferResponse { Id = request.Id });
        };
        var before = PayloadBuffer.Outstanding;

        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync("first", "slow").Soon());

        Assert.Equal(before, PayloadBuffer.Outstanding);
        Assert.Equal([3000], _log.Entries.Where(static entry => entry.Level >= LogLevel.Warning).Select(static entry => entry.Id.Id));
    }

    private Task RunAsync(params string[] ids)
    {
        var call = new FakeCall();
        var boundary = new CallBoundary(_time, _loggers.CreateLogger<CallBoundary>());
        var stream = new StreamInference(_api, boundary, _time, new LateFailures(_time, _loggers.CreateLogger<LateFailures>()), _lifetime);
        var requests = new PayloadRequests(call, new Requests(ids), 1 << 20, PayloadRoom.Unlimited);
        return stream.RunAsync(call, requests, new BrokenAnswers(_allRun.Task)).AsTask();
    }

    /// <summary>Requests with these ids; the stream stays open then, as its client may send more.</summary>
    private sealed class Requests(string[] ids) : IAsyncStreamReader<PayloadBuffer>
    {
        private int _next;

        public PayloadBuffer Current { get; private set; } = null!;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (_next == ids.Length)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            Current = PayloadBuffer.CopyOf(new ModelInferRequest { ModelName = "m", Id = ids[_next++] }.ToByteArray());
            return true;
        }
    }

    /// <summary>As the library does once it has answered a call whose deadline has passed.</summary>
    private sealed class BrokenAnswers(Task ready) : IServerStreamWriter<PayloadBuffer>
    {
        public WriteOptions? WriteOptions { get; set; }

        public async Task WriteAsync(PayloadBuffer message)
        {
            await ready;
            throw new InvalidOperationException("Can't write the message because the request is complete.");
        }
    }
}
