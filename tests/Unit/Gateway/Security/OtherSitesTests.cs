using System.Net;
using System.Text;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

/// <summary>What a browser asks for a page of another site is refused by a server on loopback, which knows no clients.</summary>
public sealed class OtherSitesTests : IAsyncLifetime
{
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _app = await ServeHosts.StartAsync(("Cluster:Models", TestPaths.DemoModels), ("Cluster:PollSeconds", "0"));
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(_app.Urls.First()) };
        await _http.UntilOkAsync("/v2/health/ready", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.EndAsync();
    }

    [Fact]
    public async Task Requests_OfAPageOfAnotherSite_ChangeLoadAndReadNothing()
    {
        foreach (var site in new[] { "cross-site", "same-site", "made-up" })
        {
            foreach (var (verb, path) in new[] { ("POST", "/v2/repository/models/digits/unload"), ("POST", "/v2/models/digits/infer"), ("GET", "/v2/models/digits"), ("GET", "/v2/cluster") })
            {
                var (status, text) = await AskAsync(verb, path, site);
                Assert.Equal((site, path, HttpStatusCode.Forbidden), (site, path, status));
                Assert.StartsWith("{\"error\":\"a page of another site asked for this", text, StringComparison.Ordinal);
            }
        }

        Assert.Equal(HttpStatusCode.OK, (await AskAsync("GET", "/v2/models/digits/ready", null)).Status);
    }

    [Fact]
    public async Task Calls_OfGrpcWebOfAnotherSite_AreDenied()
    {
        var message = new SetVModelRequest { VModelId = "a", TargetModelId = "digits" }.ToByteArray();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mmesh.ModelMesh/setVModel") { Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc-web");
        request.Headers.Add("Sec-Fetch-Site", "cross-site");

        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);

        var trailers = Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Contains("grpc-status: 7", trailers + answer.Headers, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Requests_OfTheConsoleAndOfPrograms_AreAnswered_AndLinksToTheConsole()
    {
        foreach (var site in new[] { "same-origin", "none", null })
        {
            Assert.Equal(HttpStatusCode.OK, (await AskAsync("POST", "/v2/repository/index", site)).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await AskAsync("GET", "/console", "cross-site")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync("GET", "/v2/health/live", "cross-site")).Status);
    }

    private async Task<(HttpStatusCode Status, string Text)> AskAsync(string verb, string path, string? site)
    {
        using var request = new HttpRequestMessage(new HttpMethod(verb), path);
        if (site is not null)
        {
            request.Headers.Add("Sec-Fetch-Site", site);
        }

        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
