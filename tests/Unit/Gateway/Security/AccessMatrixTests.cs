using System.Net;
using System.Text;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Gateway.Security;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

/// <summary>
/// Each endpoint of a whole server, taken from its route table, for each role and for a model that is allowed, one that is forbidden and one that is not there: asked over the wire, with the
/// answer that the endpoint's <see cref="RouteAccess"/> says. A route or method that is new and says nothing fails here.
/// </summary>
public sealed class AccessMatrixTests : IAsyncLifetime
{
    private const string Allowed = "digits";
    private const string Forbidden = "identity";
    private const string Unknown = "nosuch";

    private static readonly string?[] Roles = [null, "wrong.key", "infer.key", "read.key", "manage.key", "observe.key", "nothing.key", "admin.key"];

    private readonly TestAccess _access = new();
    private WebApplication _app = null!;
    private HttpClient _http = null!;
    private HttpClient _grpc = null!;

    public async ValueTask InitializeAsync()
    {
        object Client(string name) => new { keys = new[] { TestAccess.Key(name, "key") } };
        object Rule(string name, string model) => new { clients = new[] { name }, allow = new[] { name }, models = new[] { model } };
        _access.Write(new
        {
            clients = new { watcher = Client("watcher"), infer = Client("infer"), read = Client("read"), manage = Client("manage"), observe = Client("observe"), nothing = Client("nothing"), admin = Client("admin") },
            rules = new object[]
            {
                Rule("infer", Allowed),
                Rule("read", Allowed),
                Rule("manage", Allowed),
                Rule("observe", "*"),
                new { clients = new[] { "watcher" }, allow = new[] { "observe" }, models = new[] { "*" } },
                new { clients = new[] { "watcher" }, allow = new[] { "read" }, models = new[] { Allowed } },
                new { clients = new[] { "admin" }, allow = new[] { "infer", "read", "manage", "observe" }, models = new[] { "*" } },
            },
        });
        _app = await ServeHosts.StartAsync(("Cluster:Models", TestPaths.DemoModels), ("Cluster:Access", _access.File), ("Access:RegisteredModels", "2"), ("Cluster:PollSeconds", "0"));
        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(addresses[0]) };
        _grpc = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(addresses[1]) };
        await _http.UntilOkAsync("/v2/health/ready", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _grpc.Dispose();
        await _app.EndAsync();
        _access.Dispose();
    }

    [Fact]
    public void Endpoints_EachSayWhatTheyAsk()
    {
        var endpoints = Endpoints();

        Assert.InRange(endpoints.Count, 80, 500);
        Assert.All(endpoints, static endpoint => Assert.NotNull(endpoint.Metadata.GetMetadata<RouteAccess>()));

        // Those who may change every model are asked for by the endpoints that name no model; what nothing is said of is asked so too.
        Assert.Equal(
            ["/v1/config/reload", "/v2/cluster/silos/{silo}/drain", "/v2/cluster/silos/{silo}/undrain"],
            endpoints.Where(static endpoint => Access(endpoint) == RouteAccess.ManageAll).Select(static endpoint => endpoint.RoutePattern.RawText));
    }

    [Fact]
    public async Task Requests_OfEachRoleToEachEndpoint_AreAnsweredAsItSays()
    {
        var wrong = new List<string>();
        foreach (var endpoint in Endpoints().OrderBy(static endpoint => Access(endpoint).Permission == Permission.Manage))
        {
            foreach (var role in Roles)
            {
                var answers = new Dictionary<string, Answer>();
                foreach (var model in HasModel(endpoint) ? [Allowed, Forbidden, Unknown] : new[] { "" })
                {
                    answers[model] = await AskAsync(endpoint, role, model);
                    if (!Fits(endpoint, role, model, answers[model].Status))
                    {
                        wrong.Add($"{role ?? "without a key"} {endpoint.RoutePattern.RawText} {model}: {answers[model]}");
                    }
                }

                // Whether there is such a model is not told to those who may not use it.
                if (role is not "admin.key" && answers.Count == 3 && answers[Forbidden] is var forbidden && answers[Unknown] is var unknown
                    && (forbidden.Status, forbidden.Text.Replace(Forbidden, Unknown, StringComparison.Ordinal)) != (unknown.Status, unknown.Text))
                {
                    wrong.Add($"{role} {endpoint.RoutePattern.RawText}: {forbidden} but {unknown}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("/v2/models/identity/infer")]
    [InlineData("/V2/MODELS/identity/INFER")]
    [InlineData("//v2/models/identity/infer")]
    [InlineData("/v2//models/identity/infer")]
    [InlineData("/v2/models/identity/infer/")]
    [InlineData("/v2/models/%69dentity/infer")]
    [InlineData("/v2/models/digits%2f..%2fidentity/infer")]
    [InlineData("/v2/models/digits/../identity/infer")]
    [InlineData("/v2/models/identity/versions/1/infer")]
    [InlineData("/v2/models/identity;x=digits/infer")]
    [InlineData("/v2/models/identity%00digits/infer")]
    public async Task Paths_WrittenInOtherWays_LeadToNoForbiddenModel(string path)
    {
        foreach (var verb in new[] { "POST", "GET", "PUT", "OPTIONS", "TRACE", "post" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(verb), new Uri(_http.BaseAddress + path[1..], new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            request.Headers.Add("x-api-key", "infer.key");
            request.Headers.Add("X-HTTP-Method-Override", "POST");
            request.Content = new StringContent("""{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":[1]}]}""");
            using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.False(answer.IsSuccessStatusCode, $"{verb} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>A header that names the model goes before the path; the caller's right is asked for the one that is meant.</summary>
    [Theory]
    [InlineData("mm-model-id", "identity")]
    [InlineData("mm-vmodel-id", "identity")]
    public async Task HeaderThatNamesAnotherModel_IsRefused(string header, string model)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/models/digits");
        request.Headers.Add("x-api-key", "read.key");
        request.Headers.Add(header, model);

        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    /// <summary>An alias may be used by its own name's right, or by that of the model it leads to, and by no other's.</summary>
    [Fact]
    public async Task Aliases_LeadToNoForbiddenModel()
    {
        await MoveAliasAsync("shortcut", Forbidden);
        await MoveAliasAsync("another", Allowed);

        Assert.Equal(HttpStatusCode.Forbidden, await ReadAsync("shortcut", "read.key"));
        Assert.Equal(HttpStatusCode.OK, await ReadAsync("another", "read.key"));
        Assert.Equal(HttpStatusCode.Forbidden, await ReadAsync("another", "nothing.key"));
        Assert.Equal(HttpStatusCode.OK, await ReadAsync("shortcut", "admin.key"));
    }

    /// <summary>Each way to register a model asks whether the client may have one more.</summary>
    [Fact]
    public async Task Registrations_BeyondTheQuota_AreRefused()
    {
        var info = new ModelInfo { Type = "onnx", Path = Allowed };
        async Task<string> RegisterAsync(string model) => await ManageAsync("registerModel", new RegisterModelRequest { ModelId = model, ModelInfo = info });

        Assert.Equal("0", await RegisterAsync("extra-1"));
        Assert.Equal("0", await ManageAsync("setVModel", new SetVModelRequest { VModelId = "extra", TargetModelId = "extra-2", ModelInfo = info, Sync = true }));
        Assert.Equal("0", await RegisterAsync("extra-1"));
        Assert.Equal("8", await RegisterAsync("extra-3"));
        Assert.Equal("8", await ManageAsync("setVModel", new SetVModelRequest { VModelId = "extra", TargetModelId = "extra-3", ModelInfo = info }));

        Assert.Equal("0", await ManageAsync("unregisterModel", new UnregisterModelRequest { ModelId = "extra-1" }));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        var start = TimeProvider.System.GetTimestamp();
        while (await RegisterAsync("extra-3") != "0")
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Wait.Limit, "the place of a model that was unregistered is not free");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A rule needs the rights of the alias's move; and it leads those alone to its candidate that may use that, or the alias by its own name.</summary>
    [Fact]
    public async Task TrafficRules_LeadToNoForbiddenModel()
    {
        await MoveAliasAsync(Allowed + "-alias", Allowed);
        const string Path = $"/v2/aliases/{Allowed}-alias/traffic";
        var toForbidden = $$"""{"candidate":"{{Forbidden}}","percent":100}""";
        Assert.Equal(HttpStatusCode.Forbidden, (await RuleAsync(HttpMethod.Post, Path + "/set", "manage.key", toForbidden)).Status);
        Assert.Equal(HttpStatusCode.OK, (await RuleAsync(HttpMethod.Post, Path + "/set?wait=true", "admin.key", toForbidden)).Status);

        // Its answer is that of the digits, whose input the other model has not.
        var (status, text) = await RuleAsync(
            HttpMethod.Post, $"/v2/models/{Allowed}-alias/infer", "infer.key", $$"""{"inputs":[{"name":"image","datatype":"FP32","shape":[1,1,28,28],"data":[{{string.Join(',', new int[784])}}]}]}""");
        Assert.True(status == HttpStatusCode.OK, text);
        Assert.Contains($"\"model_name\":\"{Allowed}\"", text, StringComparison.Ordinal);
        Assert.Contains($"\"model_name\":\"{Forbidden}\"", (await RuleAsync(
            HttpMethod.Post, $"/v2/models/{Allowed}-alias/infer", "admin.key", """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":[1]}]}""")).Text, StringComparison.Ordinal);

        foreach (var path in new[] { Path, "/v2/aliases" })
        {
            var shown = await RuleAsync(HttpMethod.Get, path, "read.key", null);
            Assert.Contains("\"percent\":100", shown.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(Forbidden, shown.Text, StringComparison.Ordinal);
            Assert.Contains(Forbidden, (await RuleAsync(HttpMethod.Get, path, "admin.key", null)).Text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("alias\":", (await RuleAsync(HttpMethod.Get, "/v2/aliases", "nothing.key", null)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("traffic_begun", (await RuleAsync(HttpMethod.Get, "/v2/cluster/events", "watcher.key", null)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await RuleAsync(HttpMethod.Post, Path + "/rollback", "read.key", "")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RuleAsync(HttpMethod.Post, Path + "/clear", "read.key", "")).Status);
        Assert.Equal(HttpStatusCode.OK, (await RuleAsync(HttpMethod.Post, Path + "/clear", "admin.key", "")).Status);

        async Task<(HttpStatusCode Status, string Text)> RuleAsync(HttpMethod method, string path, string key, string? body)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body) };
            request.Headers.Add("x-api-key", key);
            using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    /// <summary>gRPC-Web over either version of HTTP passes the same checks.</summary>
    [Theory]
    [InlineData(null, Allowed, "16")]
    [InlineData("infer.key", Forbidden, "7")]
    [InlineData("read.key", Allowed, "7")]
    [InlineData("infer.key", Allowed, "3")]
    public async Task GrpcWeb_IsAskedAsGrpcIs(string? key, string model, string status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/inference.GRPCInferenceService/ModelInfer");
        request.Content = new ByteArrayContent([0, 0, 0, 0, (byte)(2 + model.Length), 0x0a, (byte)model.Length, .. Encoding.ASCII.GetBytes(model)]);
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc-web");
        if (key is not null)
        {
            request.Headers.Add("x-api-key", key);
        }

        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync();

        Assert.Contains($"grpc-status: {status}", $"grpc-status: {(answer.Headers.TryGetValues("grpc-status", out var header) ? header.Single() : "")}\n{body}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_LeaveOutWhatTheCallerMayNotSee()
    {
        foreach (var (path, verb) in new[] { ("/v2/models", "GET"), ("/v2/models/stats", "GET"), ("/v2/repository/index", "POST"), ("/v1/config", "GET") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(verb), path);
            request.Headers.Add("x-api-key", "read.key");
            using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
            var text = await answer.Content.ReadAsStringAsync();

            Assert.Contains(Allowed, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Forbidden, text, StringComparison.Ordinal);
        }
    }

    /// <summary>One that may observe is told of the models that it may read, and of no others.</summary>
    [Fact]
    public async Task Cluster_LeavesOutWhatTheCallerMayNotSee()
    {
        foreach (var path in new[] { "/v2/cluster", "/v2/cluster/events", $"/v2/cluster/models/{Allowed}/placement" })
        {
            var text = await TextAsync(path, HttpStatusCode.OK);

            Assert.Contains(Allowed, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Forbidden, text, StringComparison.Ordinal);
        }

        var forbidden = await TextAsync($"/v2/cluster/models/{Forbidden}/placement", HttpStatusCode.NotFound);
        Assert.Equal((await TextAsync($"/v2/cluster/models/{Unknown}/placement", HttpStatusCode.NotFound)).Replace(Unknown, Forbidden, StringComparison.Ordinal), forbidden);

        async Task<string> TextAsync(string path, HttpStatusCode status)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("x-api-key", "watcher.key");
            using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(status, answer.StatusCode);
            return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
    }

    private static RouteAccess Access(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<RouteAccess>()!;

    private static bool IsGrpc(RouteEndpoint endpoint) => endpoint.RoutePattern.RawText!.Split('/') is ["", var service, _] && (service.Contains('.') || service.Contains('{'));

    private static bool HasModel(RouteEndpoint endpoint) => Access(endpoint).Scope == AccessScope.Model;

    /// <summary>Whether a status is right: only who lacks an identity or a right is told so, and each who does.</summary>
    private static bool Fits(RouteEndpoint endpoint, string? role, string model, string status)
    {
        var access = Access(endpoint);
        var expected = access.Scope is AccessScope.Health or AccessScope.Open ? ""
            : role is null or "wrong.key" ? "401"
            : access.Scope is AccessScope.Client or AccessScope.List || role == "admin.key" ? ""
            : access.Scope == AccessScope.All ? role == "observe.key" && access.Permission == Permission.Observe ? "" : "403"
            : role == $"{access.Permission.ToString().ToLowerInvariant()}.key" && model == Allowed ? "" : "403";
        return expected.Length > 0 ? status == expected : status is not ("401" or "403");
    }

    private async Task<HttpStatusCode> ReadAsync(string model, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/models/{model}");
        request.Headers.Add("x-api-key", key);
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private async Task MoveAliasAsync(string alias, string model) =>
        Assert.Equal("0", await ManageAsync("setVModel", new SetVModelRequest { VModelId = alias, TargetModelId = model, Sync = true }));

    /// <summary>The status of a call of ModelMesh's API by one who may do everything.</summary>
    private async Task<string> ManageAsync(string method, IMessage content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/mmesh.ModelMesh/{method}") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var message = content.ToByteArray();
        request.Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]);
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        request.Headers.Add("x-api-key", "admin.key");
        using var answer = await _grpc.SendAsync(request, TestContext.Current.CancellationToken);
        await answer.Content.ReadAsByteArrayAsync();
        return (answer.TrailingHeaders.TryGetValues("grpc-status", out var status) ? status : answer.Headers.GetValues("grpc-status")).Single();
    }

    private List<RouteEndpoint> Endpoints() => [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.Cast<RouteEndpoint>()];

    private async Task<Answer> AskAsync(RouteEndpoint endpoint, string? key, string model)
    {
        var path = endpoint.RoutePattern.RawText!
            .Replace("{model}", HasModel(endpoint) ? model : Allowed, StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal).Replace("{**path}", "some", StringComparison.Ordinal).Replace("{silo}", "some", StringComparison.Ordinal)
            .Replace("{unimplementedService}", "a.B", StringComparison.Ordinal).Replace("{unimplementedMethod:grpcunimplemented}", "c", StringComparison.Ordinal);
        var methods = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["PATCH"];
        using var request = new HttpRequestMessage(IsGrpc(endpoint) ? HttpMethod.Post : new HttpMethod(methods[0]), path);
        if (key is not null)
        {
            request.Headers.Add("x-api-key", key);
        }

        return IsGrpc(endpoint) ? await CallAsync(request, model) : await SendAsync(request);
    }

    private async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        request.Content = request.Method == HttpMethod.Post ? new StringContent("{}") : null;
        using var answer = await _http.SendAsync(request, limit.Token);
        return new Answer($"{(int)answer.StatusCode}", await answer.Content.ReadAsStringAsync(limit.Token));
    }

    /// <summary>Of gRPC: UNAUTHENTICATED as 401, PERMISSION_DENIED as 403.</summary>
    private async Task<Answer> CallAsync(HttpRequestMessage request, string model)
    {
        // The first field of each message is a name; of an alias' move the second one is its target.
        var name = Encoding.ASCII.GetBytes(model);
        byte[] field = [0x0a, (byte)name.Length, .. name];
        byte[] message = request.RequestUri!.OriginalString.EndsWith("/setVModel", StringComparison.Ordinal) ? [.. field, 0x12, (byte)name.Length, .. name] : field;
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]);
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        using var limit = new CancellationTokenSource(Wait.Limit);
        using var answer = await _grpc.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        if (!answer.Headers.Contains("grpc-status"))
        {
            // Streams that follow changes do not end by themselves: an answer of theirs is one that was let in.
            await using var body = await answer.Content.ReadAsStreamAsync(limit.Token);
            var first = new byte[4096];
            var count = await body.ReadAsync(first, limit.Token);
            if (count > 0)
            {
                // A stream goes on after a request of it that is refused: the refusal is a message.
                var said = request.RequestUri.OriginalString.EndsWith("/ModelStreamInfer", StringComparison.Ordinal)
                    ? ModelStreamInferResponse.Parser.ParseFrom(first.AsSpan(5, count - 5)).ErrorMessage : "";
                return new Answer(said.Contains(" may not ", StringComparison.Ordinal) ? "403" : "0", said);
            }
        }

        var headers = answer.Headers.Contains("grpc-status") ? answer.Headers : answer.TrailingHeaders;
        var status = headers.GetValues("grpc-status").Single();
        return new Answer(status switch { "16" => "401", "7" => "403", _ => status }, headers.TryGetValues("grpc-message", out var text) ? text.Single() : "");
    }

    private sealed record Answer(string Status, string Text);
}
