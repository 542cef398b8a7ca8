using System.Text;
using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>What HTTP/1.1 allows: pipelining, keep-alive after errors, chunks, <c>Expect</c>.</summary>
public sealed class HttpConnectionTests(ServerFixture fixture) : ServerTests(fixture)
{
    private const string Path = "/v2/models/scalar_fp32/infer";
    private const string Body = """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[],"data":[2.5]}]}""";

    [Fact]
    public async Task Connection_AfterErrors_IsKeptAndAnswersTheNext()
    {
        using var connection = await RawConnection.OpenAsync(Fixture.Server);
        foreach (var (request, status) in new[]
        {
            (RawConnection.Get("/nosuch"), 404),
            (RawConnection.Post(Path, "{"), 400),
            (RawConnection.Post("/v2/models/nosuch/infer", Body), 404),
            (RawConnection.Get(Path), 405),
            (RawConnection.Post("/v2/health/live", Body), 405),
            (RawConnection.Post("/v2/logging", Body), 501),
            (RawConnection.Post("/v2/models/broken/infer", Body), 503),
            (RawConnection.Post(Path, Body), 200),
        })
        {
            await connection.SendAsync(request);
            Assert.Equal(status, (await connection.ReadAsync()).Status);
        }
    }

    [Fact]
    public async Task Connection_PipelinedRequests_AreAnsweredInOrder()
    {
        using var connection = await RawConnection.OpenAsync(Fixture.Server);
        await connection.SendAsync(
            RawConnection.Get("/v2/health/live") + RawConnection.Post(Path, Body) + RawConnection.Post(Path, "[]") + RawConnection.Get("/v2/models/add_one/ready"));
        Assert.Equal((200, """{"live":true}"""), await connection.ReadAsync());
        var (status, body) = await connection.ReadAsync();
        Assert.Equal(200, status);
        Assert.Contains("2.5", body, StringComparison.Ordinal);
        Assert.Equal(400, (await connection.ReadAsync()).Status);
        Assert.Equal(200, (await connection.ReadAsync()).Status);
    }

    [Fact]
    public async Task Infer_Expect100Continue_IsToldToContinue()
    {
        using var connection = await RawConnection.OpenAsync(Fixture.Server);
        await connection.SendAsync($"POST {Path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {Body.Length}\r\n\r\n");
        Assert.Equal(100, (await connection.ReadAsync()).Status);
        await connection.SendAsync(Body);
        Assert.Equal(200, (await connection.ReadAsync()).Status);
    }

    [Fact]
    public async Task Infer_ConnectionClose_IsClosedAfterTheAnswer()
    {
        using var connection = await RawConnection.OpenAsync(Fixture.Server);
        await connection.SendAsync($"POST {Path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {Body.Length}\r\n\r\n{Body}");
        Assert.Equal(200, (await connection.ReadAsync()).Status);
        Assert.True(await connection.IsClosedAsync());
    }

    [Fact]
    public async Task Infer_BodyInSingleBytes_IsRead()
    {
        using var connection = await RawConnection.OpenAsync(Fixture.Server);
        foreach (var character in RawConnection.Post(Path, Body))
        {
            await connection.SendAsync("" + character);
        }

        Assert.Equal(200, (await connection.ReadAsync()).Status);
    }

    [Theory]
    [InlineData("NOT HTTP\r\n\r\n")]
    [InlineData("GET /v2 HTTP/1.1\r\n\r\n")]
    [InlineData("POST /v2/models/add_one/infer HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n")]
    [InlineData("POST /v2/models/add_one/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")]
    [InlineData("GET /v2/%00 HTTP/1.1\r\nHost: x\r\n\r\n")]
    public async Task Connection_RequestThatIsNotHttp_Is400(string request)
    {
        using var connection = await RawConnection.OpenAsync(Fixture.Server);
        await connection.SendAsync(request);
        Assert.Equal(400, (await connection.ReadAsync()).Status);
        Assert.Equal(200, (await GetAsync("python", "/v2/health/live")).Status);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_ChunkedBody_IsRead(string client)
    {
        var tensor = Tensor.Fp32("INPUT0", [50_000], [.. Enumerable.Range(0, 50_000)]);
        foreach (var call in new[] { new Infer("vector_fp32", tensor).Json(Url), (new Infer("vector_fp32", tensor) with { BinaryOutput = true }).Binary(Url) })
        {
            var answer = InferAnswer.Of(await HttpAsync(client, call with { Headers = [.. call.Headers, new("Transfer-Encoding", "chunked")] }));
            Assert.Equal(tensor.Data, answer.Output.Data);
        }
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/octet-stream")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("nonsense")]
    public async Task Infer_ContentTypeOfAnyKind_IsRead(string type)
    {
        var result = await HttpAsync("node", new HttpCall("POST", Url + Path) { Headers = [new("Content-Type", type)], Body = Encoding.UTF8.GetBytes(Body) });
        Assert.Equal([2.5f], InferAnswer.Of(result).Output.As<float>());
    }

    [Fact]
    public async Task Infer_ClientGoneInTheMiddleOfItsBody_HurtsNoOther()
    {
        for (var i = 0; i < 20; i++)
        {
            using var connection = await RawConnection.OpenAsync(Fixture.Server);
            await connection.SendAsync($"POST {Path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{Body}");
        }

        Assert.Equal(200, (await PostAsync("python", Path, Body)).Status);
    }
}
