using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Gateway.Traffic;

/// <summary>A canary and a shadow of a whole server, over REST and gRPC.</summary>
public sealed class TrafficServerTests : IAsyncLifetime
{
    private const float X = 10;

    private static readonly ModelInferRequest Request = GrpcInferClient.Request("current", [new RawTensor("X", "FP32", [1], BitConverter.GetBytes(X))]);

    private readonly ModelFolder _models = ModelFolder.Create();
    private WebApplication _app = null!;
    private HttpClient _http = null!;
    private GrpcClient _grpc = null!;

    public async ValueTask InitializeAsync()
    {
        foreach (var (model, version, content) in new[]
            { ("one", 1, OnnxModels.Small(1)), ("one", 2, OnnxModels.Small(1)), ("two", 1, OnnxModels.Small(2)), ("broken", 1, OnnxModels.FailsToRun()) })
        {
            var file = Path.Combine(_models.Path, "model.onnx");
            await File.WriteAllBytesAsync(file, content);
            _models.AddVersion(model, version, file);
            File.Delete(file);
        }

        await File.WriteAllTextAsync(Path.Combine(_models.Path, "one", "model.json"), """{"version_policy":{"all":{}}}""");

        _app = await ServeHosts.StartAsync(("Cluster:Models", _models.Path), ("Cluster:PollSeconds", "0"));
        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        _http = new HttpClient { BaseAddress = new Uri(addresses[0]) };
        _grpc = new GrpcClient(new Uri(addresses[1]).Authority);
        await _http.UntilOkAsync("/v2/health/ready", TestContext.Current.CancellationToken);
        await _grpc.CallAsync("/mmesh.ModelMesh/setVModel", new SetVModelRequest { VModelId = "current", TargetModelId = "one", Sync = true }, VModelStatusInfo.Parser);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _grpc.Dispose();
        await _app.EndAsync();
        _models.Dispose();
    }

    [Fact]
    public async Task Canary_OverBothProtocols_IsStickyShownAndRolledBack()
    {
        var set = await PostAsync("set?wait=true", """{"candidate":"two","percent":50,"sticky_header":"x-user","max_error_rate":null}""");
        Assert.Equal("active", set.GetProperty("traffic").GetProperty("state").GetString());

        var byRest = new List<float>();
        foreach (var user in Users)
        {
            var first = await RestAsync(user);
            Assert.Equal(first, await RestAsync(user));
            Assert.Equal(first, await GrpcAsync(user));
            byRest.Add(first);
        }

        Assert.InRange(byRest.Count(static answer => answer == 2), 8, 32);
        Assert.Equal(40, byRest.Count(static answer => answer is 1 or 2));
        var shown = (await GetAsync("/v2/cluster")).GetProperty("aliases")[0];
        Assert.Equal(("current", "one", 50), (shown.GetProperty("alias").GetString(), shown.GetProperty("model").GetString(), shown.GetProperty("traffic").GetProperty("rule").GetProperty("percent").GetInt32()));
        Assert.Contains("\"sticky_header\":\"x-user\"", (await GetAsync("/v2/aliases")).GetRawText(), StringComparison.Ordinal);

        var back = await PostAsync("rollback", "");
        Assert.Equal("operator", back.GetProperty("traffic").GetProperty("rolled_back").GetProperty("cause").GetString());
        Assert.Equal(1, await RestAsync(Users.Skip(byRest.IndexOf(2)).First()));
        Assert.Contains("\"kind\":\"rolled_back\"", (await GetAsync("/v2/cluster/events")).GetRawText(), StringComparison.Ordinal);
        Assert.Matches("cluster_alias_rollbacks\\{alias=\"current\",cause=\"operator\"\\} 1\n", await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken));

        Assert.False((await PostAsync("clear", "")).TryGetProperty("traffic", out _));
        Assert.DoesNotContain("cluster_alias_", await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Canary_OfAnotherVersion_WhatIsAskedOfTheAliasIsToldOfTheActiveOne()
    {
        await PostAsync("set?wait=true", """{"candidate":"one","candidate_version":2,"active_version":1,"percent":0}""");

        var statistics = await GetAsync("/v2/models/current/stats");
        Assert.Equal("1", Assert.Single(statistics.GetProperty("model_stats").EnumerateArray()).GetProperty("version").GetString());
        var told = await _grpc.CallAsync("/inference.GRPCInferenceService/ModelStatistics", new ModelStatisticsRequest { Name = "current" }, ModelStatisticsResponse.Parser);
        Assert.Equal("1", Assert.Single(told.ModelStats).Version);
        Assert.Equal(2, (await GetAsync("/v2/models/one/stats")).GetProperty("model_stats").GetArrayLength());
    }

    [Fact]
    public async Task Canary_ThatFails_IsRolledBackByItself()
    {
        await PostAsync("set?wait=true", """{"candidate":"broken","percent":50,"max_error_rate":0.1,"min_requests":5}""");

        var failed = 0;
        for (var i = 0; i < 200 && await StateAsync() == "active"; i++)
        {
            var answer = await _grpc.SendAsync("ModelInfer", GrpcFraming.Frame(Request.ToByteArray()), []);
            failed += answer.Status == Contracts.Errors.StatusCode.Ok ? 0 : 1;
        }

        var rolledBack = (await GetAsync("/v2/aliases/current/traffic")).GetProperty("traffic").GetProperty("rolled_back");
        Assert.Equal("errors", rolledBack.GetProperty("cause").GetString());
        Assert.StartsWith($"{failed} of {failed} requests failed", rolledBack.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await RestAsync("x"));
    }

    [Fact]
    public async Task Shadow_OfAnotherModel_ChangesNoAnswerAndEndsByDrift()
    {
        await PostAsync("set?wait=true", """{"candidate":"two","percent":100,"shadow":true,"relative_tolerance":0,"max_drift":0.5,"min_requests":5}""");

        for (var i = 0; i < 200 && await StateAsync() == "active"; i++)
        {
            Assert.Equal(1, await RestAsync("x"));
            Assert.Equal(1, await GrpcAsync("x"));
        }

        Assert.Equal("drift", (await GetAsync("/v2/aliases/current/traffic")).GetProperty("traffic").GetProperty("rolled_back").GetProperty("cause").GetString());
    }

    private static IEnumerable<string> Users => Enumerable.Range(0, 40).Select(static i => i.ToString(CultureInfo.InvariantCulture));

    private async Task<string?> StateAsync() => (await GetAsync("/v2/aliases/current/traffic")).GetProperty("traffic").GetProperty("state").GetString();

    private async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await _http.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)).RootElement;

    private async Task<JsonElement> PostAsync(string verb, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri($"/v2/aliases/current/traffic/{verb}", UriKind.Relative), content, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<float> RestAsync(string user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/current/infer");
        request.Content = new StringContent("""{"inputs":[{"name":"X","datatype":"FP32","shape":[1],"data":[10]}]}""");
        request.Headers.Add("x-user", user);
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("outputs")[0].GetProperty("data")[0].GetSingle() - X;
    }

    private async Task<float> GrpcAsync(string user)
    {
        var answer = await _grpc.SendAsync("ModelInfer", GrpcFraming.Frame(Request.ToByteArray()), [new("x-user", user)]);
        Assert.Equal(Contracts.Errors.StatusCode.Ok, answer.Status);
        return BitConverter.ToSingle(ModelInferResponse.Parser.ParseFrom(answer.Message.Span).RawOutputContents[0].Span) - X;
    }
}
