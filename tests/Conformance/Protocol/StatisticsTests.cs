using System.Text.Json;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>Statistics count what happened, no more and no less.</summary>
public sealed class StatisticsTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly string[] Durations =
        ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"];

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStatistics_AfterRequests_CountsRowsRunsAndFailures(string client)
    {
        var before = await ReadAsync(client, "stats_batchy");
        var start = DateTimeOffset.FromUnixTimeMilliseconds((long)before.LastInference);
        var one = new Infer("stats_batchy", Tensor.Fp32("INPUT0", [1, 4], 1, 2, 3, 4));
        var five = new Infer("stats_batchy", Tensor.Fp32("INPUT0", [5, 4], new float[20]));
        for (var i = 0; i < 3; i++)
        {
            InferAnswer.Of(await InferAsync(client, one.Raw()));
            InferAnswer.Of(await HttpAsync(client, five.Json(Url)));
        }

        await FailAsync("gRPC", client, one with { Inputs = [one.Inputs[0] with { Shape = [1, 5] }] });
        await FailAsync("REST", client, one with { Inputs = [one.Inputs[0] with { Data = [1] }] });

        var after = await ReadAsync(client, "stats_batchy");
        Assert.Equal(6ul, after.ExecutionCount - before.ExecutionCount);
        Assert.Equal(18ul, after.InferenceCount - before.InferenceCount);
        Assert.True(after.LastInference > 0 && (long)after.LastInference >= start.ToUnixTimeMilliseconds());
        var (old, now) = (before.InferenceStats, after.InferenceStats);
        Assert.Equal(6ul, now.Success.Count - (old?.Success.Count ?? 0));
        Assert.Equal(2ul, now.Fail.Count - (old?.Fail.Count ?? 0));
        Assert.Equal(6ul, now.ComputeInfer.Count - (old?.ComputeInfer.Count ?? 0));
        Assert.Equal(6ul, now.ComputeInput.Count - (old?.ComputeInput.Count ?? 0));
        Assert.Equal(6ul, now.ComputeOutput.Count - (old?.ComputeOutput.Count ?? 0));
        Assert.Equal(6ul, now.Queue.Count - (old?.Queue.Count ?? 0));
        Assert.True(now.Success.Ns - (old?.Success.Ns ?? 0) > now.ComputeInfer.Ns - (old?.ComputeInfer.Ns ?? 0));
        Assert.True(now.ComputeInfer.Ns > (old?.ComputeInfer.Ns ?? 0));
        Assert.Equal(3ul, Batches(after, 1) - Batches(before, 1));
        Assert.Equal(3ul, Batches(after, 5) - Batches(before, 5));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStatistics_OfARequestThatWaited_HasItsTimeInTheQueue(string client)
    {
        var slow = new SlowModel(Fixture.Server, "slow_stats");
        var before = await ReadAsync(client, slow.Name);
        var running = await slow.StartAsync(Fixture.Client(client), SlowModel.Endless);
        var waiting = await slow.StartAsync(Fixture.Client(client), 1);
        await slow.StopAsync(running);
        SlowModel.AssertAnswered(InferAnswer.Of(await waiting.Completion.Soon()));
        var after = await ReadAsync(client, slow.Name);
        Assert.True(after.InferenceStats.Queue.Ns - before.InferenceStats.Queue.Ns > 1_000_000);
        Assert.Equal(1ul, after.InferenceStats.Success.Count - before.InferenceStats.Success.Count);
        Assert.Equal(0ul, after.InferenceStats.Fail.Count - before.InferenceStats.Fail.Count);
        Assert.Equal(1ul, after.InferenceStats.Cancel.Count - before.InferenceStats.Cancel.Count);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RestStatistics_OfOneModel_HasEveryDurationAndTheVersion(string client)
    {
        var statistics = (await GetAsync(client, "/v2/models/classify/stats")).Json.GetProperty("model_stats");
        var model = Assert.Single(statistics.EnumerateArray());
        Assert.Equal("classify", model.GetProperty("name").GetString());
        Assert.Equal("1", model.GetProperty("version").GetString());
        Assert.All(Durations, name =>
        {
            var duration = model.GetProperty("inference_stats").GetProperty(name);
            Assert.Equal(JsonValueKind.Number, duration.GetProperty("count").ValueKind);
            Assert.Equal(JsonValueKind.Number, duration.GetProperty("ns").ValueKind);
        });
        Assert.Equal(JsonValueKind.Number, model.GetProperty("inference_count").ValueKind);
        Assert.Equal(JsonValueKind.Number, model.GetProperty("execution_count").ValueKind);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStatistics_WithoutAName_HasEveryLoadedVersion(string client)
    {
        var grpc = (await CallAsync<ModelStatisticsResponse>(client, "ModelStatistics", new ModelStatisticsRequest())).Response!;
        var rows = grpc.ModelStats.Select(static row => (row.Name, row.Version)).ToList();
        Assert.Contains(("add_one", "1"), rows);
        Assert.Contains(("multi_all", "1"), rows);
        Assert.Contains(("multi_all", "3"), rows);
        Assert.DoesNotContain(rows, static row => row.Name == "broken");
        var rest = (await GetAsync(client, "/v2/models/stats")).Json.GetProperty("model_stats").EnumerateArray();
        Assert.Equal(rows, rest.Select(static row => (row.GetProperty("name").GetString()!, row.GetProperty("version").GetString()!)));
        var one = await CallAsync<ModelStatisticsResponse>(client, "ModelStatistics", new ModelStatisticsRequest { Name = "multi_all", Version = "2" });
        Assert.Equal("2", Assert.Single(one.Response!.ModelStats).Version);
    }

    private static ulong Batches(ModelStatistics statistics, ulong size) =>
        statistics.BatchStats.SingleOrDefault(batch => batch.BatchSize == size)?.ComputeInfer.Count ?? 0;

    private async Task<ModelStatistics> ReadAsync(string client, string model)
    {
        var result = await CallAsync<ModelStatisticsResponse>(client, "ModelStatistics", new ModelStatisticsRequest { Name = model });
        Assert.True(result.Code == "OK", result.Details);
        return Assert.Single(result.Response!.ModelStats);
    }
}
