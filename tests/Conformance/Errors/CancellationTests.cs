using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>A client that goes away frees what it used.</summary>
public sealed class CancellationTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task GrpcInfer_CancelledWhileRunning_FreesTheSlotForTheNext(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_cancel");
        var running = await slow.StartAsync(Fixture.Client(client), SlowModel.Endless);
        var waiting = await slow.StartAsync(Fixture.Client(client), 1);
        await running.CancelAsync();
        Assert.Equal("CANCELLED", (await running.Completion.Soon()).Code);
        SlowModel.AssertAnswered(InferAnswer.Of(await waiting.Completion.Soon()));
        await slow.RunningAsync(0);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task GrpcInfer_CancelledWhileWaiting_LeavesTheQueueAndTheRunGoesOn(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_cancel");
        var running = await slow.StartAsync(Fixture.Client(client), SlowModel.Endless);
        var waiting = await slow.StartAsync(Fixture.Client(client), 1);
        await waiting.CancelAsync();
        Assert.Equal("CANCELLED", (await waiting.Completion.Soon()).Code);
        await slow.WaitingAsync(0);
        Assert.False(running.Completion.IsCompleted);
        await slow.StopAsync(running);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RestInfer_ConnectionClosedWhileRunning_FreesTheSlot(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_cancel");
        var call = slow.Request(SlowModel.Endless).Json(Url) with { Timeout = TimeSpan.FromSeconds(2) };
        var running = HttpAsync(client, call);
        await slow.RunningAsync(1);
        var result = await running;
        Assert.Equal((0, "timeout"), (result.Status, result.Error));
        await slow.RunningAsync(0);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStreamInfer_CancelledWhileRunning_FreesTheSlotAndDropsWhatWaits(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_cancel");
        var stream = Fixture.Client(client).StartStream<Contracts.Protocol.ModelStreamInferResponse>(
            Target,
            ClientDriver.InferenceService + "ModelStreamInfer",
            [slow.Request(SlowModel.Endless).Raw(), slow.Request(1).Raw(), slow.Request(1).Raw()]);
        await slow.WaitingAsync(2);
        await stream.CancelAsync();
        Assert.Equal("CANCELLED", (await stream.Completion.Soon()).Code);
        await slow.RunningAsync(0);
        await slow.WaitingAsync(0);
    }
}
