using Cluster.Contracts.Errors;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>What one client can make the server allocate. Counts the whole process, hence alone.</summary>
[Collection(nameof(AllocationCollection))]
public sealed class AllocationTests
{
    [Fact]
    public async Task HugeAnnouncementWithoutData_AllocatesNoMoreThanTrusted()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));
        await server.CallAsync(GrpcTestServer.Infer, Frame([1]));
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var reply = await server.CallAsync(GrpcTestServer.Infer, [.. MessageFramingTests.Prefix(200_000_000), .. Bytes(1000)]);

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 40_000_000);
    }

    [Fact]
    public async Task ZipBomb_AllocatesNoMoreThanTheLimitAsksFor()
    {
        await using var server = await GrpcTestServer.StartAsync(
            service => service.RawUnary("ModelInfer", UnaryCallTests.Echo), options => options.MaxReceiveMessageSize = 1_000_000);
        var bomb = Frame(CompressionTests.Compress(new byte[300_000_000], "gzip"), compressed: true);
        await server.CallAsync(GrpcTestServer.Infer, Frame([1]));
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var reply = await server.CallAsync(GrpcTestServer.Infer, bomb, ("grpc-encoding", "gzip"));

        Assert.Equal(StatusCode.ResourceExhausted, reply.Status);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 10_000_000);
    }
}
