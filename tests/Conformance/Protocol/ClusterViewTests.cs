using System.Text;
using System.Text.Json;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>What operators are told of a server that has worked.</summary>
public sealed class ClusterViewTests
{
    private const int Requests = 20;
    private const string Body = """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,2],"data":[1,2]}]}""";

    [Fact]
    public async Task Cluster_AfterRequestsAndAnUnload_TellsWhatReplicasDidAndWhy()
    {
        using var models = ModelFolder.Create().Add(Path.Combine(TestPaths.DemoModels, "identity")).Add(Path.Combine(TestPaths.DemoModels, "digits"));
        await using var server = await ServerProcess.StartAsync("--models", models.Path);
        using var client = new HttpClient { BaseAddress = new Uri(server.HttpUrl) };
        for (var i = 0; i < Requests; i++)
        {
            await PostAsync(client, "/v2/models/identity/infer", Body);
        }

        using var stream = await StreamAsync(client);
        using var events = new StreamReader(await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);
        var view = await GetAsync(client, "/v2/cluster");
        var version = Version(view, "identity");
        var replica = version.GetProperty("copies")[0];
        Assert.Equal((1, 2L, 2L, 0L, true), (
            Number(view, "totals", "silos"), Number(view, "totals", "desired_copies"), Number(view, "totals", "ready_copies"), Number(view, "totals", "rejected_requests"), view.GetProperty("totals").GetProperty("store").GetBoolean()));
        Assert.True(Number(view.GetProperty("nodes")[0], "tensor_memory_bytes") > 0);
        Assert.Equal((1, "SERVING"), (Number(version, "desired_copies"), replica.GetProperty("state").GetString()));
        Assert.True(Number(version, "declared_bytes") > 0 && Number(replica, "bytes") > 0);
        Assert.InRange(replica.GetProperty("requests_per_second").GetDouble() * replica.GetProperty("window_seconds").GetDouble(), Requests * 0.9, Requests * 1.1);
        Assert.InRange(replica.GetProperty("run_p50_ms").GetDouble(), 0.0001, replica.GetProperty("run_p99_ms").GetDouble());
        Assert.False(Version(view, "digits").GetProperty("copies")[0].TryGetProperty("run_p50_ms", out _));

        await PostAsync(client, "/v2/repository/models/identity/unload", "");
        Assert.Contains("\"kind\":\"unavailable\",\"model\":\"identity\",\"version\":1", await UntilAsync(events, "unloaded on request"), StringComparison.Ordinal);
        Assert.Equal(0, Number(Version(await GetAsync(client, "/v2/cluster"), "identity"), "desired_copies"));
        var placement = await GetAsync(client, "/v2/cluster/models/identity/placement");
        Assert.Equal("has room, and is among the best", placement.GetProperty("versions")[0].GetProperty("silos")[0].GetProperty("reason").GetString());

        // A stream that is open keeps no server from its end.
        server.Terminate();
        await server.WaitForExitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, server.ExitCode);
    }

    private static long Number(JsonElement element, params string[] path) => path.Aggregate(element, static (at, name) => at.GetProperty(name)).GetInt64();

    private static JsonElement Version(JsonElement view, string model) =>
        view.GetProperty("models").EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == model).GetProperty("versions")[0];

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => JsonDocument.Parse(await client.GetStringAsync(path)).RootElement;

    private static async Task PostAsync(HttpClient client, string path, string body)
    {
        using var content = new StringContent(body);
        using var answer = await client.PostAsync(path, content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<HttpResponseMessage> StreamAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/cluster/events");
        request.Headers.Add("Accept", "text/event-stream");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>The first event with these words at its end.</summary>
    private static async Task<string> UntilAsync(StreamReader events, string words)
    {
        while (await events.ReadLineAsync().WaitAsync(Wait.Limit) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal) && line.EndsWith($"\"text\":\"{words}\"}}", StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException("the stream ended");
    }
}
