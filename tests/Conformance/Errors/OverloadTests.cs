using System.Globalization;
using Cluster.Conformance.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>A full queue refuses at once, with a time to try again.</summary>
public sealed class OverloadTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_QueueFull_IsRefusedWithARetryHintByBothProtocols(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_queue");
        InferAnswer.Of(await InferAsync(client, slow.Request(100).Raw()));
        var running = await slow.StartAsync(Fixture.Client(client), SlowModel.Endless);
        var waiting = await slow.StartAsync(Fixture.Client(client), 1);

        var grpc = await InferAsync(client, slow.Request(1).Raw());
        Assert.Equal("RESOURCE_EXHAUSTED", grpc.Code);
        AssertSays(grpc.Details);
        Assert.True(long.Parse(grpc.Trailers["grpc-retry-pushback-ms"], CultureInfo.InvariantCulture) > 0);

        var rest = await HttpAsync(client, slow.Request(1).Json(Url));
        var (status, message) = Failure(rest);
        Assert.Equal("429", status);
        AssertSays(message);
        Assert.True(long.Parse(rest.Headers["retry-after"], CultureInfo.InvariantCulture) >= 1);

        // What waited gets the slot that the first one leaves.
        await slow.StopAsync(running);
        SlowModel.AssertAnswered(InferAnswer.Of(await waiting.Completion.Soon()));
        SlowModel.AssertAnswered(InferAnswer.Of(await HttpAsync(client, slow.Request(1).Json(Url))));
    }

    private static void AssertSays(string message) =>
        Assert.All(["'slow_queue'", "version 1", "queue full", "1 requests wait", "limit is 1"], part => Assert.Contains(part, message, StringComparison.Ordinal));
}
