using System.Diagnostics;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Unit.Gateway.Rest;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Grpc.Reflection.V1;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;
using static Grpc.Health.V1.HealthCheckResponse.Types;
using Alpha = Grpc.Reflection.V1Alpha;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>Streams that idle, and the end of the server.</summary>
public sealed class StopTests
{
    private const string Watch = "/grpc.health.v1.Health/Watch";
    private const string Reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    private const string ReflectionAlpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

    [Fact]
    public async Task Watch_StatusChanges_TellsEachUntilTheServerStops()
    {
        await using var server = await GrpcTestServer.StartAsync();
        var health = server.Services.GetRequiredService<HealthServiceImpl>();
        using var response = await server.SendAsync(Watch, new ByteArrayContent(Frame(new HealthCheckRequest { Service = "s" })), default);
        var stream = await response.Content.ReadAsStreamAsync();

        Assert.Equal(ServingStatus.ServiceUnknown, await NextStatusAsync(stream));
        health.SetStatus("s", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await NextStatusAsync(stream));
        health.SetStatus("other", ServingStatus.NotServing);
        health.SetStatus("s", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await NextStatusAsync(stream));

        await server.StopAsync().WaitAsync(GrpcTestServer.Patience);
        Assert.Equal(ServingStatus.NotServing, await NextStatusAsync(stream));
        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
        Assert.Equal("0", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
    }

    /// <summary>50 requests that run are answered; 50 streams that nothing moves on end; the stop takes no second longer than the last answer.</summary>
    [Fact]
    public async Task Stop_RunningRequestsAndIdleStreams_AnswersThoseAndEndsThese()
    {
        const int count = 50;
        var running = new CountdownEvent(count + 1);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var api = new FakeServingApi
        {
            Infer = async (_, request, _) =>
            {
                running.Signal();
                await release.Task;
                return FakeServingApi.Answer(new ModelInferResponse { Id = request.Id });
            },
        };
        await using var server = await GrpcTestServer.StartAsync(api);
        var idle = new List<(Task<HttpResponseMessage> Response, DuplexContent Body, StatusCode Expected)>();
        for (var index = 0; index < count; index++)
        {
            var (path, first, expected) = (index % 4) switch
            {
                0 => (Watch, Frame(new HealthCheckRequest()), StatusCode.Ok),
                1 => (Reflection, Frame(new ServerReflectionRequest { ListServices = "" }), StatusCode.Ok),
                2 => (ReflectionAlpha, Frame(new Alpha.ServerReflectionRequest { ListServices = "" }), StatusCode.Ok),
                _ => (GrpcTestServer.StreamInfer, Array.Empty<byte>(), StatusCode.Unavailable),
            };
            var body = new DuplexContent();
            idle.Add((server.SendAsync(path, body, default), body, expected));
            await body.WriteAsync(first);
            if (path == Watch)
            {
                body.Complete();
            }
        }

        var answers = Enumerable.Range(0, count)
            .Select(index => server.CallAsync(GrpcTestServer.Infer, Frame(new ModelInferRequest { ModelName = "m", Id = $"{index}" })))
            .ToArray();
        var streamBody = new DuplexContent();
        var stream = server.CallAsync(GrpcTestServer.StreamInfer, streamBody);
        await streamBody.WriteAsync(Frame(new ModelInferRequest { ModelName = "m", Id = "in a stream" }));
        Assert.True(running.Wait(GrpcTestServer.Patience));

        var stop = server.StopAsync();
        foreach (var (response, body, expected) in idle)
        {
            await AssertEndsAsync(response, expected);
            body.Complete();
        }

        Assert.False(stop.IsCompleted);
        release.SetResult();
        var replies = await Task.WhenAll(answers);
        Assert.Equal(Enumerable.Range(0, count).Select(index => $"{index}"), replies.Select(reply => ModelInferResponse.Parser.ParseFrom(reply.Single).Id));
        var streamed = await stream;
        Assert.Equal("in a stream", ModelStreamInferResponse.Parser.ParseFrom(streamed.Single).InferResponse.Id);
        Assert.Equal(StatusCode.Unavailable, streamed.Status);
        var watch = Stopwatch.StartNew();
        await stop.WaitAsync(GrpcTestServer.Patience);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Empty(server.Logs.Problems);
    }

    private static async Task AssertEndsAsync(Task<HttpResponseMessage> pending, StatusCode expected)
    {
        try
        {
            using var response = await pending.WaitAsync(GrpcTestServer.Patience);
            Assert.Equal(expected, (await ReadAsync(response).WaitAsync(GrpcTestServer.Patience)).Status);
        }
        catch (HttpRequestException exception) when (exception.InnerException is HttpProtocolException { ErrorCode: 0 })
        {
            // Kestrel ended the half-open stream before this client took the trailers: UNAVAILABLE to a gRPC client.
        }
    }

    private static async Task<ServingStatus> NextStatusAsync(Stream stream)
    {
        var prefix = new byte[5];
        await stream.ReadExactlyAsync(prefix).AsTask().WaitAsync(GrpcTestServer.Patience);
        var message = new byte[prefix[4]];
        await stream.ReadExactlyAsync(message).AsTask().WaitAsync(GrpcTestServer.Patience);
        return HealthCheckResponse.Parser.ParseFrom(message).Status;
    }
}
