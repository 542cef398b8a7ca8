using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>What one client can make the server allocate. Counts the whole process, hence alone.</summary>
[Collection(nameof(AllocationCollection))]
public sealed class AllocationTests
{
    [Fact]
    public async Task HugeAnnouncementWithoutData_AllocatesNothingForIt()
    {
        await using var server = await GrpcTestServer.StartAsync();
        await server.CallAsync(GrpcTestServer.Infer, Frame(GrpcTestServer.Request([1])));
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var reply = await server.CallAsync(GrpcTestServer.Infer, [0, 12, 0, 0, 0, .. Bytes(1000)]);

        Assert.Equal(StatusCode.Internal, reply.Status);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 10_000_000);
    }

    [Fact]
    public async Task ZipBomb_AllocatesNoMoreThanTheLimitAsksFor()
    {
        await using var server = await GrpcTestServer.StartAsync(maxMessage: 1_000_000);
        var bomb = Frame(CompressionTests.Compress(new byte[300_000_000], "gzip"), compressed: true);
        await server.CallAsync(GrpcTestServer.Infer, Frame(GrpcTestServer.Request([1])));
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var reply = await server.CallAsync(GrpcTestServer.Infer, bomb, ("grpc-encoding", "gzip"));

        Assert.Equal(StatusCode.ResourceExhausted, reply.Status);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 10_000_000);
    }

    /// <summary>The pool has what it had before: no request's memory is left to the collector.</summary>
    [Theory]
    [InlineData("two")]
    [InlineData("cut")]
    [InlineData("no gRPC after it")]
    [InlineData("unreadable")]
    public async Task LargeRequestThatIsNotServed_GoesBackToThePool(string how)
    {
        await using var server = await GrpcTestServer.StartAsync();
        var one = Frame(GrpcTestServer.Request(Bytes(300_000)));
        byte[] body = how switch
        {
            "two" => [.. one, .. one],
            "cut" => one[..^1],
            "unreadable" => Frame([0x0A, .. Enumerable.Repeat((byte)0xFF, 300_000)]),
            _ => [.. one, 7, 7, 7, 7, 7],
        };
        using (PayloadBuffer.Rent(300_000))
        using (PayloadBuffer.Rent(300_000))
        {
        }

        var before = PayloadPool.Shared.KeptBytes;

        await server.CallAsync(GrpcTestServer.Infer, body);
        await server.FinishedAsync();

        Assert.Equal(before, PayloadPool.Shared.KeptBytes);
    }
}
