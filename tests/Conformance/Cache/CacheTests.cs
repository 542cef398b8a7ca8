using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Cache;

/// <summary>A server with room for seven of twelve models, and one more that is larger than all its room.</summary>
public sealed class CacheTests : IAsyncLifetime
{
    private static readonly HttpClient Http = new();

    private const int Models = 12;
    private const double Capacity = 1 << 20;

    private readonly ModelFolder _folder = ModelFolder.Create();
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < Models; i++)
        {
            _folder.Add(Path.Combine(TestPaths.TestModels, "identity_fp32"), Name(i));
        }

        var large = Path.GetTempFileName();
        await File.WriteAllBytesAsync(large, new byte[2 << 20]);
        _folder.AddVersion("large", 1, large);
        File.Delete(large);
        _server = await ServerProcess.StartAsync("--models", _folder.Path, "--capacity", "1MiB", "--poll-seconds", "0");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task MoreModelsThanFit_RandomTraffic_EverythingIsAnsweredAndTheBooksAreRight()
    {
        var statuses = new ConcurrentDictionary<HttpStatusCode, int>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async seed =>
        {
            var random = new Random(seed);
            for (var turn = 0; turn < 12; turn++)
            {
                await InferUntilAnsweredAsync(Name(random.Next(Models)), statuses);
            }
        }));

        Assert.Equal(48, statuses[HttpStatusCode.OK]);
        Assert.DoesNotContain(statuses.Keys, status => status is not (HttpStatusCode.OK or HttpStatusCode.TooManyRequests));
        await MetricsSettleAsync();
        var metrics = await MetricsAsync();
        Assert.Equal(Capacity, metrics["cluster_cache_capacity_bytes"]);
        Assert.InRange(metrics["cluster_cache_used_bytes"], Capacity / 2, Capacity);
        Assert.Equal(7, metrics["cluster_models_loaded"]);
        Assert.Equal(0, metrics["cluster_cache_waiting_bytes"]);
        Assert.True(metrics["cluster_cache_evictions"] >= 1);
        Assert.Equal(metrics["cluster_cache_evictions"], metrics["cluster_cache_age_at_eviction_seconds_count"]);

        // Requests that wait for the same load share its refusal.
        Assert.True(statuses.GetValueOrDefault(HttpStatusCode.TooManyRequests) == 0 || Refusals(metrics, "churn") + Refusals(metrics, "busy") > 0);
        Assert.Equal(48, await AnsweredAsync());
    }

    [Fact]
    public async Task Thrash_OneModelAfterTheOther_IsRefusedWithARetryHintAndServedLater()
    {
        HttpResponseMessage? refused = null;
        var victim = "";
        for (var turn = 0; refused is null && turn < 10 * Models; turn++)
        {
            victim = Name(turn % Models);
            var answer = await InferAsync(victim);
            refused = answer.StatusCode == HttpStatusCode.OK ? null : answer;
        }

        Assert.NotNull(refused);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 10);
        Assert.Contains("is not in memory", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.True(Refusals(await MetricsAsync(), "churn") >= 1);
        await InferUntilAnsweredAsync(victim, []);
    }

    [Fact]
    public async Task LargerThanAllRoom_IsAClearErrorAndTheOthersServe()
    {
        using var answer = await InferAsync("large");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("more than the capacity of 1048576 bytes", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var index = await IndexAsync();
        Assert.Equal("UNAVAILABLE", index["large"].State);
        Assert.Contains("more than the capacity", index["large"].Reason, StringComparison.Ordinal);
        Assert.Equal(0, (await MetricsAsync())["cluster_cache_evictions"]);
        await InferUntilAnsweredAsync(Name(0), []);
    }

    [Fact]
    public async Task NotInMemory_IsReadyAndSaysSo()
    {
        var index = await IndexAsync();

        Assert.All(Enumerable.Range(0, Models), i => Assert.Equal("READY", index[Name(i)].State));
        Assert.Equal(Models - 7, index.Values.Count(entry => entry.Reason.StartsWith("not in memory now", StringComparison.Ordinal)));
        for (var i = 0; i < Models; i++)
        {
            using var ready = await Http.GetAsync(Url($"/v2/models/{Name(i)}/ready"));
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        }

        Assert.Equal(0, (await MetricsAsync())["cluster_cache_evictions"]);
    }

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"m{index}");

    private static double Refusals(Dictionary<string, double> metrics, string reason) => metrics[$"cluster_cache_refusals{{reason=\"{reason}\"}}"];

    private async Task InferUntilAnsweredAsync(string model, ConcurrentDictionary<HttpStatusCode, int> statuses)
    {
        for (var tries = 0; tries < 60; tries++)
        {
            using var answer = await InferAsync(model);
            statuses.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
            if (answer.StatusCode != HttpStatusCode.TooManyRequests)
            {
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                return;
            }

            await Task.Delay(answer.Headers.RetryAfter!.Delta!.Value);
        }

        Assert.Fail($"{model} was refused 60 times");
    }

    private Task<HttpResponseMessage> InferAsync(string model) => Http.PostAsync(Url($"/v2/models/{model}/infer"), new StringContent(
        """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,2],"data":[1,2]}]}""", Encoding.UTF8, "application/json"));

    private async Task<Dictionary<string, (string State, string Reason)>> IndexAsync()
    {
        using var answer = await Http.PostAsync(Url("/v2/repository/index"), new StringContent("{}", Encoding.UTF8, "application/json"));
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.EnumerateArray().ToDictionary(
            entry => entry.GetProperty("name").GetString()!,
            entry => (entry.GetProperty("state").GetString()!, entry.TryGetProperty("reason", out var reason) ? reason.GetString()! : ""));
    }

    /// <summary>Rows that the statistics of all models tell, those that are not in memory included; asking loads none.</summary>
    private async Task<long> AnsweredAsync()
    {
        var loads = (await MetricsAsync()).Where(entry => entry.Key.StartsWith("cluster_model_loads{", StringComparison.Ordinal)).Sum(entry => entry.Value);
        using var json = JsonDocument.Parse(await Http.GetStringAsync(Url("/v2/models/stats")));
        var sum = json.RootElement.GetProperty("model_stats").EnumerateArray().Sum(model => model.GetProperty("inference_count").GetInt64());
        Assert.Equal(loads, (await MetricsAsync()).Where(entry => entry.Key.StartsWith("cluster_model_loads{", StringComparison.Ordinal)).Sum(entry => entry.Value));
        return sum;
    }

    /// <summary>The last unload may end after the last answer; each look at the metrics is a moment for it.</summary>
    private async Task MetricsSettleAsync()
    {
        for (var looks = 0; looks < 200 && (await MetricsAsync())["cluster_cache_unloading_bytes"] > 0; looks++)
        {
            await Task.Yield();
        }
    }

    private async Task<Dictionary<string, double>> MetricsAsync()
    {
        var page = await Http.GetStringAsync(Url("/metrics"));
        return page.Split('\n')
            .Where(line => line.StartsWith("cluster_", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .ToDictionary(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private Uri Url(string path) => new(_server.HttpUrl + path);
}
