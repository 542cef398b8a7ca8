using System.Buffers;
using System.IO.Pipelines;
using Cluster.Gateway.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class StreamResetTests
{
    /// <summary>The server says so a moment before the request counts as aborted; it is no failure of ours all the same.</summary>
    [Theory]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 7 })]
    public async Task Read_ResetIsNoticedWhileBytesAreGivenBack_IsTheClientsCancel(byte[] body)
    {
        var http = new DefaultHttpContext();
        http.Features.Set<IRequestBodyPipeFeature>(new ResetBody(body));
        var call = new GrpcCallContext(http, "/s/m", 1000, TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => (await GrpcMessageReader.ReadSingleAsync(call, padding: null, CancellationToken.None)).Dispose());

        Assert.Equal(CancellationCause.Client, call.Cause);
    }

    private sealed class ResetBody(byte[] bytes) : PipeReader, IRequestBodyPipeFeature
    {
        public PipeReader Reader => this;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(new ReadResult(new ReadOnlySequence<byte>(bytes), isCanceled: false, isCompleted: false));

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
            throw new IOException("The client reset the request stream.");

        public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

        public override void CancelPendingRead() => throw new NotSupportedException();

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
