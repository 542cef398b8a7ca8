using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Grpc.Health.V1;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Startup;

/// <summary>SIGTERM.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task Terminate_RequestsRunningAndWaiting_AreAnsweredAndTheServerEndsWith0()
    {
        using var models = ModelFolder.Create();
        models.Add(Path.Combine(TestPaths.TestModels, "slow"), "slow_stop");
        await File.WriteAllTextAsync(Path.Combine(models.Path, "slow_stop", "model.json"), """{"concurrency": 1}""");
        await using var harness = await Harness.StartAsync("--models", models.Path, "--poll-seconds", "0");
        var slow = new SlowModel(harness.Server, "slow_stop");
        var running = await slow.StartAsync(harness.Client("python"), 10_000);
        var waiting = harness.Client("node").HttpAsync(slow.Request(1).Json(harness.Server.HttpUrl));
        await slow.WaitingAsync(1);

        harness.Server.Terminate();
        SlowModel.AssertAnswered(InferAnswer.Of(await running.Completion.Soon()));
        SlowModel.AssertAnswered(InferAnswer.Of(await waiting.Soon()));
        await harness.Server.WaitForExitAsync(Wait.Limit);
        Assert.True(harness.Server.ExitCode == 0, harness.Server.Output);
    }

    [Fact]
    public async Task Terminate_StreamsThatNoClientEnds_DoNotHoldUpTheStop()
    {
        await using var harness = await Harness.StartAsync("--models", TestPaths.DemoModels, "--poll-seconds", "0");
        var target = harness.Server.GrpcTarget;
        var watch = harness.Client("python").StartServerStream<HealthCheckResponse>(target, "grpc.health.v1.Health/Watch", new HealthCheckRequest());
        await watch.AwaitResponsesAsync(1, Wait.Limit);
        var infer = new Infer("identity", Tensor.Fp32("INPUT0", [1, 1], 1));
        var stream = harness.Client("node").StartStream<ModelStreamInferResponse>(
            target, ClientDriver.InferenceService + "ModelStreamInfer", [infer.Raw()], new StreamOptions { HalfClose = false });
        await stream.AwaitResponsesAsync(1, Wait.Limit);
        using var idle = await RawConnection.OpenAsync(harness.Server);
        await idle.SendAsync(RawConnection.Get("/v2"));
        await idle.ReadAsync();

        harness.Server.Terminate();
        await harness.Server.WaitForExitAsync(TimeSpan.FromSeconds(10));
        Assert.True(harness.Server.ExitCode == 0, harness.Server.Output);
        Assert.NotEqual("OK", (await stream.Completion.Soon()).Code);
        Assert.NotEqual("DEADLINE_EXCEEDED", (await watch.Completion.Soon()).Code);
    }
}
