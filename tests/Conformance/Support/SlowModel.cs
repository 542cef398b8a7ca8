using Cluster.Conformance.Clients;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Support;

/// <summary>Runs of a copy of the test model <c>slow</c> that has one slot, and what the server tells of them.</summary>
internal sealed class SlowModel(ServerProcess server, string name)
{
    /// <summary>Long after every test has ended, even on a fast machine.</summary>
    public const long Endless = 100_000_000;

    /// <summary>How soon a freed slot must show: far less than the runs take, more than a busy machine needs.</summary>
    private static readonly TimeSpan Promptly = TimeSpan.FromSeconds(10);

    public string Name { get; } = name;

    /// <summary>Every run has the same answer.</summary>
    public static void AssertAnswered(InferAnswer answer) => Assert.Equal(1f, Assert.Single(answer.Output.As<float>()));

    public Infer Request(long iterations) => new(Name, Tensor.Int64("iterations", [1], iterations));

    /// <summary>Starts a run and waits until it runs, or waits if the slot is taken.</summary>
    public async Task<RunningCall<ModelInferResponse, GrpcResult<ModelInferResponse>>> StartAsync(
        ClientDriver client, long iterations, CallOptions? options = null)
    {
        var before = await MetricsText.ReadAsync(server.HttpUrl);
        var call = client.StartUnary<ModelInferResponse>(server.GrpcTarget, ClientDriver.InferenceService + "ModelInfer", Request(iterations).Raw(), options);
        if (before.Sum("ovms_infer_req_active", Label) > 0)
        {
            await WaitingAsync((int)before.Sum("cluster_waiting_requests", Label) + 1);
        }
        else
        {
            await RunningAsync(1);
        }

        return call;
    }

    /// <summary>Waits until so many runs are under way.</summary>
    public Task RunningAsync(int count) => MetricsText.UntilAsync(server.HttpUrl, count, Promptly, "ovms_infer_req_active", Label);

    /// <summary>Waits until so many requests wait for the slot.</summary>
    public Task WaitingAsync(int count) => MetricsText.UntilAsync(server.HttpUrl, count, Promptly, "cluster_waiting_requests", Label);

    /// <summary>Cancels a call and waits for its end and for its slot.</summary>
    public async Task StopAsync(RunningCall<ModelInferResponse, GrpcResult<ModelInferResponse>> call)
    {
        await call.CancelAsync();
        await call.Completion.Soon();
        await RunningAsync(0);
    }

    private string Label => $"name=\"{Name}\"";
}
