using System.Diagnostics;
using System.Text;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance;

public sealed class StopTests
{
    /// <summary>More than two seconds on any machine, far less than the stop is given.</summary>
    private const string SlowRequest = """{"inputs":[{"name":"iterations","datatype":"INT64","shape":[1],"data":[30000]}]}""";

    private const string EndlessRequest = """{"inputs":[{"name":"X","datatype":"FP32","shape":[1],"data":[1]}]}""";

    [Fact]
    public async Task Terminate_RequestRuns_IsAnsweredBeforeTheServerEnds()
    {
        using var models = ModelFolder.Create().Add(Path.Combine(TestPaths.TestModels, "slow"));
        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--stop-seconds", "120");
        using var client = new HttpClient { BaseAddress = new Uri(server.HttpUrl), Timeout = TimeSpan.FromSeconds(120) };
        using var body = new StringContent(SlowRequest, Encoding.UTF8, "application/json");
        var answering = client.PostAsync("/v2/models/slow/infer", body);
        await RunningAsync(client);

        server.Terminate();
        using var answer = await answering;
        await server.WaitForExitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task Terminate_WithADrain_NewConnectionsAreServedWhileNotReady()
    {
        using var models = ModelFolder.Create().Add(Path.Combine(TestPaths.TestModels, "add_one"));
        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--drain-seconds", "2", "--min-ready-models", "1");
        using var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero }) { BaseAddress = new Uri(server.HttpUrl) };
        Assert.Equal(200, (int)(await client.GetAsync("/v2/health/ready")).StatusCode);

        server.Terminate();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((int)(await client.GetAsync("/v2/health/ready", patience.Token)).StatusCode == 200)
        {
            await Task.Yield();
        }

        Assert.Equal(200, (int)(await client.GetAsync("/v2/models/add_one/ready", patience.Token)).StatusCode);
        await server.WaitForExitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task Terminate_RunThatNeverReturns_EndsWithTheStopTimeAndNamesTheModel()
    {
        using var models = ModelFolder.Create().AddVersion("endless", 1, OnnxModels.Endless(1));
        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--stop-seconds", "1");
        using var client = new HttpClient { BaseAddress = new Uri(server.HttpUrl), Timeout = TimeSpan.FromSeconds(60) };
        using var body = new StringContent(EndlessRequest, Encoding.UTF8, "application/json");
        client.DefaultRequestHeaders.Add("X-Request-Timeout", "200");
        using var answer = await client.PostAsync("/v2/models/endless/infer", body);
        Assert.Equal(504, (int)answer.StatusCode);

        var start = Stopwatch.GetTimestamp();
        server.Terminate();
        await server.WaitForExitAsync(TimeSpan.FromSeconds(30));

        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(6) + Bounds.Noise);
        Assert.Equal(1, server.ExitCode);
        Assert.Contains("amid runs of endless version 1", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_RunThatNeverReturnsHasTheOnlySlot_IsGivenUpAndTheModelServesAgain()
    {
        using var models = ModelFolder.Create().AddVersion("endless", 1, OnnxModels.Endless(1));
        await File.WriteAllTextAsync(Path.Combine(models.Path, "endless", "model.json"), """{"concurrency": 1}""");
        await using var server = await ServerProcess.StartProgramAsync(
            "env", ["ClusterWork__LoadReportInterval=00:00:01", ServerProcess.Program, "--models", models.Path, "--stop-seconds", "1", "--stuck-run-seconds", "1"]);
        using var client = new HttpClient { BaseAddress = new Uri(server.HttpUrl), Timeout = TimeSpan.FromSeconds(60) };
        using var body = new StringContent(EndlessRequest, Encoding.UTF8, "application/json");
        using var giveUp = new CancellationTokenSource();
        var endless = client.PostAsync("/v2/models/endless/infer", body, giveUp.Token);
        await RunningAsync(client, "endless");

        // It waits for the slot, until that is given up; then another replica answers it.
        using var other = new StringContent(EndlessRequest.Replace("[1]}]", "[0]}]", StringComparison.Ordinal), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/v2/models/endless/infer", other);

        Assert.True((int)answer.StatusCode == 200, await answer.Content.ReadAsStringAsync() + server.Output);
        Assert.Contains("[2312]", server.Output, StringComparison.Ordinal);
        Assert.Contains("cluster_stuck_runs{name=\"endless\",version=\"1\"} 1", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
    }

    private static async Task RunningAsync(HttpClient client, string model = "slow")
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!(await client.GetStringAsync("/metrics", patience.Token)).Contains($"ovms_current_requests{{name=\"{model}\",version=\"1\"}} 1", StringComparison.Ordinal))
        {
            await Task.Yield();
        }
    }
}
