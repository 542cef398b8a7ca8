using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Failures over HTTP: statuses, bodies, retry hints, limits, cancellation.</summary>
public sealed class RestErrorsTests : RestServer
{
    private const string Request = """{"inputs":[{"name":"IN","shape":[1],"datatype":"INT8","data":[1]}]}""";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("/v2/repository/index")]
    [InlineData("/v2/repository/models/m/load")]
    [InlineData("/v2/repository/models/m/unload")]
    public async Task Repository_BodyAbove4MiB_Is413(string path)
    {
        var answer = await Host.PostAsync(path, new byte[(4 << 20) + 1]);

        Assert.Equal(413, answer.Status);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument, null, 400, null)]
    [InlineData(StatusCode.FailedPrecondition, null, 400, null)]
    [InlineData(StatusCode.OutOfRange, null, 400, null)]
    [InlineData(StatusCode.Unauthenticated, null, 401, null)]
    [InlineData(StatusCode.PermissionDenied, null, 403, null)]
    [InlineData(StatusCode.NotFound, null, 404, null)]
    [InlineData(StatusCode.AlreadyExists, null, 409, null)]
    [InlineData(StatusCode.Aborted, null, 409, null)]
    [InlineData(StatusCode.ResourceExhausted, null, 413, null)]
    [InlineData(StatusCode.ResourceExhausted, 0.2, 429, "1")]
    [InlineData(StatusCode.ResourceExhausted, 2.1, 429, "3")]
    [InlineData(StatusCode.Cancelled, null, 499, null)]
    [InlineData(StatusCode.Internal, null, 500, null)]
    [InlineData(StatusCode.Unknown, null, 500, null)]
    [InlineData(StatusCode.DataLoss, null, 500, null)]
    [InlineData(StatusCode.Unimplemented, null, 501, null)]
    [InlineData(StatusCode.Unavailable, null, 503, "1")]
    [InlineData(StatusCode.Unavailable, 10.0, 503, "10")]
    [InlineData(StatusCode.DeadlineExceeded, null, 504, null)]
    public async Task Infer_Failure_HasItsHttpStatus(StatusCode code, double? retryAfter, int status, string? header)
    {
        var failure = new Failure(code, "model 'm': \"why\" \u00e9", retryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        Host.Api.Infer = (_, _, _) => ValueTask.FromResult(InferReply.Failed(failure));

        var answer = await Host.InferAsync(Request);

        Assert.Equal(status, answer.Status);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Equal(failure.Message, answer.Error);
        Assert.Equal(header, answer.Header("Retry-After"));
    }

    [Fact]
    public async Task Get_ThrownFailure_HasItsHttpStatus()
    {
        Host.Api.Error = new ServingException(Failure.NotFound("Request for unknown model: 'm' is not found"));

        foreach (var path in new[] { "/v2/models/m", "/v2/models/m/ready", "/v2/models/m/config", "/v2/models/m/stats" })
        {
            var answer = await Host.GetAsync(path);

            Assert.Equal(404, answer.Status);
            Assert.StartsWith("Request for unknown model", answer.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Any_UnexpectedException_SaysNothingOfItself()
    {
        Host.Api.Error = new InvalidOperationException("secret");
        Host.Api.Infer = static (_, _, _) => throw new InvalidOperationException("secret");

        foreach (var answer in new[] { await Host.GetAsync("/v2"), await Host.InferAsync(Request) })
        {
            Assert.Equal(500, answer.Status);
            Assert.Equal("internal error", answer.Error);
        }
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v3/models")]
    [InlineData("/v2/model/m")]
    [InlineData("/v2/models/m/version/1")]
    [InlineData("/v2/models/m/versions/1/infer/x")]
    [InlineData("/v2/models//infer")]
    [InlineData("/v2/models/a/b")]
    [InlineData("/v2/models/a%2Fb")]
    [InlineData("/v2/models/a%2fb/ready")]
    public async Task Get_UnknownPath_Is404(string path)
    {
        var answer = await Host.GetAsync(path);

        Assert.Equal(404, answer.Status);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.NotEmpty(answer.Error);
    }

    [Theory]
    [InlineData("POST", "/v2", "GET,HEAD")]
    [InlineData("POST", "/v2/health/live", "GET,HEAD")]
    [InlineData("DELETE", "/v2/models/m", "GET,HEAD")]
    [InlineData("GET", "/v2/models/m/infer", "POST")]
    [InlineData("PUT", "/v2/models/m/versions/1/infer", "POST")]
    [InlineData("POST", "/v2/models/m/versions/1/ready", "GET,HEAD")]
    [InlineData("POST", "/v2/models/stats", "GET,HEAD")]
    [InlineData("GET", "/v2/repository/index", "POST")]
    [InlineData("GET", "/v2/repository/models/m/load", "POST")]
    [InlineData("POST", "/v1/config", "GET,HEAD")]
    [InlineData("GET", "/v1/config/reload", "POST")]
    [InlineData("HEAD", "/v2/models/m/infer", "POST")]
    [InlineData("OPTIONS", "/v2", "GET,HEAD")]
    [InlineData("POST", "/console", "GET,HEAD")]
    [InlineData("PUT", "/console/console.js", "GET,HEAD")]
    public async Task Any_WrongVerb_Is405WithTheRightOne(string verb, string path, string allow)
    {
        var answer = await Host.SendAsync(new HttpRequestMessage(new HttpMethod(verb), path));

        Assert.Equal(405, answer.Status);
        Assert.Equal(allow, answer.Header("Allow"));
        if (verb != "HEAD")
        {
            Assert.Contains(allow.Split(',')[0], answer.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/v2")]
    [InlineData("/v2/health/live")]
    [InlineData("/v2/health/ready")]
    [InlineData("/v2/models")]
    [InlineData("/v2/models/m/ready")]
    [InlineData("/v1/config")]
    public async Task Any_Head_IsAnsweredAsGetWithoutItsBody(string path)
    {
        var get = await Host.GetAsync(path);
        var head = await Host.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));

        Assert.Equal((get.Status, get.Header("Content-Type"), get.Header("Content-Length")), (head.Status, head.Header("Content-Type"), head.Header("Content-Length")));
        Assert.Empty(head.Body);
    }

    [Theory]
    [InlineData("/v2/models/m/versions/x")]
    [InlineData("/v2/models/m/versions/-1/ready")]
    [InlineData("/v2/models/m/versions/1.0/config")]
    [InlineData("/v2/models/m/versions/%D9%A1/stats")]
    public async Task Get_VersionThatIsNoNumber_Is400(string path)
    {
        var answer = await Host.GetAsync(path);

        Assert.Equal(400, answer.Status);
        Assert.Contains("failed to get model version from specified version string", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_NoTimeoutHeader_HasNoTimeout()
    {
        await Host.InferAsync(Request);

        Assert.Null(Host.Api.LastCall!.Value.Timeout);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("1s")]
    [InlineData("99999999999")]
    public async Task Infer_BadTimeoutHeader_Is400(string header)
    {
        var answer = await Host.InferAsync(Request, ("X-Request-Timeout", header));

        Assert.Equal(400, answer.Status);
        Assert.Contains("X-Request-Timeout", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(true, "gzip")]
    public async Task Infer_BodyAboveTheLimit_Is413(bool chunked, string? encoding)
    {
        await using var host = await RestHost.StartAsync(static options => options.MaxRequestBytes = 20_000);
        foreach (var (size, status) in new[] { (15_000, 200), (30_000, 413) })
        {
            var body = Encoding.UTF8.GetBytes(Request + new string(' ', size));
            if (encoding is not null)
            {
                using var target = new MemoryStream();
                await using (var gzip = new System.IO.Compression.GZipStream(target, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
                {
                    await gzip.WriteAsync(body);
                }

                body = target.ToArray();
            }

            var request = new HttpRequestMessage(HttpMethod.Post, RestHost.InferPath) { Content = new ByteArrayContent(body) };
            request.Headers.TransferEncodingChunked = chunked;
            if (encoding is not null)
            {
                request.Content.Headers.ContentEncoding.Add(encoding);
            }

            var answer = await host.SendAsync(request);

            Assert.Equal(status, answer.Status);
            Assert.True(status == 200 || answer.Error.Contains("larger", StringComparison.Ordinal) || answer.Error.Contains("too large", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Infer_ChunkWithoutALength_Is400InWordsOfOurs()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Host.Address.Host, Host.Address.Port).WaitAsync(Patience);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {RestHost.InferPath} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")).AsTask().WaitAsync(Patience);

        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answer = await reader.ReadToEndAsync().WaitAsync(Patience);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("the request's body is not framed as HTTP has it", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_TensorsLargerThanTheLimitInBinary_Is413()
    {
        await using var host = await RestHost.StartAsync(static options => options.MaxRequestBytes = 200_000);
        var zeros = string.Join(',', Enumerable.Repeat('0', 90_000));

        var answer = await host.InferAsync($$"""{"inputs":[{"name":"IN","shape":[90000],"datatype":"FP64","data":[{{zeros}}]}]}""");

        Assert.Equal(413, answer.Status);
    }

    [Fact]
    public async Task Infer_ClientDisconnects_CancelsTheCall()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Host.Api.Infer = async (_, _, cancellationToken) =>
        {
            await using var registration = cancellationToken.Register(() => cancelled.TrySetResult());
            entered.TrySetResult();
            await cancelled.Task;
            return InferReply.Failed(Failure.Cancelled("gone"));
        };
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, Host.Address.Port);
            await socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"POST {RestHost.InferPath} HTTP/1.1\r\nHost: x\r\nContent-Length: {Request.Length}\r\n\r\n{Request}"));
            await entered.Task.WaitAsync(Patience);
        }

        await cancelled.Task.WaitAsync(Patience);
    }
}
