using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>Deadlines end runs and waits, and what cannot be in time is refused at once.</summary>
public sealed class DeadlineTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task GrpcInfer_DeadlinePassesWhileRunning_EndsTheRun(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_running");
        var result = await InferAsync(client, slow.Request(SlowModel.Endless).Raw(), new CallOptions { Timeout = Short });
        Assert.Equal("DEADLINE_EXCEEDED", result.Code);
        await slow.RunningAsync(0);
        InferAnswer.Of(await InferAsync(client, slow.Request(1).Raw()));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RestInfer_DeadlinePassesWhileRunning_Is504AndEndsTheRun(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_running");
        var (status, message) = Failure(await HttpAsync(client, WithTimeout(slow.Request(SlowModel.Endless), Short)));
        Assert.Equal("504", status);
        Assert.Contains("'slow_running'", message, StringComparison.Ordinal);
        Assert.Contains("400 ms", message, StringComparison.Ordinal);
        await slow.RunningAsync(0);
        InferAnswer.Of(await HttpAsync(client, WithTimeout(slow.Request(1), TimeSpan.FromMinutes(1))));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RestInfer_DeadlinePassesWhileWaiting_Is504AndLeavesTheQueue(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_cancel");
        var running = await slow.StartAsync(Fixture.Client(client), SlowModel.Endless);
        var (status, message) = Failure(await HttpAsync(client, WithTimeout(slow.Request(1), Short)));
        Assert.Equal("504", status);
        Assert.Contains("'slow_cancel'", message, StringComparison.Ordinal);
        await slow.WaitingAsync(0);
        await slow.StopAsync(running);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_DeadlineThatCannotBeMet_IsRefusedAtOnceByBothProtocols(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_deadline");

        // Teaches the server that a run takes long: from 1.5 s on a fast machine.
        InferAnswer.Of(await InferAsync(client, slow.Request(15_000).Raw()));
        var running = await slow.StartAsync(Fixture.Client(client), SlowModel.Endless);

        var rest = await HttpAsync(client, WithTimeout(slow.Request(1), TimeSpan.FromSeconds(1)));
        var (status, message) = Failure(rest);
        Assert.Equal("504", status);
        AssertSays(message);

        var grpc = await InferAsync(client, slow.Request(1).Raw(), new CallOptions { Timeout = TimeSpan.FromSeconds(1) });
        Assert.Equal("DEADLINE_EXCEEDED", grpc.Code);
        AssertSays(grpc.Details);
        await slow.StopAsync(running);
    }

    [Theory]
    [InlineData("python", "x")]
    [InlineData("node", "0")]
    [InlineData("python", "-5")]
    public async Task RestInfer_TimeoutThatIsNone_Is400(string client, string timeout)
    {
        var call = new Infer("scalar_fp32", Tensor.Fp32("INPUT0", [], 1)).Json(Url) with { Headers = [new("X-Request-Timeout", timeout)] };
        var (status, message) = Failure(await HttpAsync(client, call));
        Assert.Equal("400", status);
        Assert.Contains($"X-Request-Timeout is '{timeout}'", message, StringComparison.Ordinal);
    }

    private static void AssertSays(string message) =>
        Assert.All(["'slow_deadline'", "cannot be met", "ms"], part => Assert.Contains(part, message, StringComparison.Ordinal));

    private HttpCall WithTimeout(Infer request, TimeSpan timeout) =>
        request.Json(Url) with { Headers = [new("X-Request-Timeout", "" + (long)timeout.TotalMilliseconds)] };
}
