using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Unit.Gateway.Grpc;
using Cluster.Unit.Gateway.Rest;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Cluster.Unit.Gateway.KServe;

public sealed class StreamInferenceTests
{
    [Fact]
    public async Task Run_AnswerThrowsWhileTheClientWaitsForIt_EndsTheStream()
    {
        var api = new FakeServingApi { Infer = (_, _, _) => throw new InvalidOperationException("broken") };
        await using var server = await GrpcTestServer.StartAsync(api);
        var body = new DuplexContent();
        var pending = server.SendAsync(GrpcTestServer.StreamInfer, body, default);
        await body.WriteAsync(GrpcTestReply.Frame(new ModelInferRequest { ModelName = "m", Id = "1" }.ToByteArray()));

        using var response = await pending.WaitAsync(GrpcTestServer.Patience);
        var reply = await GrpcTestReply.ReadAsync(response).WaitAsync(GrpcTestServer.Patience);

        Assert.Equal(StatusCode.Internal, reply.Status);
        body.Complete();
    }

    [Fact]
    public async Task Run_FailedRequest_IsAnsweredAndTheStreamGoesOn()
    {
        var api = new FakeServingApi();
        var answer = api.Infer;
        api.Infer = (call, request, token) => request.Id == "bad"
            ? ValueTask.FromResult(Contracts.Inference.InferReply.Failed(Failure.InvalidArgument("no")))
            : answer(call, request, token);
        await using var server = await GrpcTestServer.StartAsync(api);

        var reply = await server.CallAsync(GrpcTestServer.StreamInfer, [.. new[] { "1", "bad", "2" }.SelectMany(
            id => GrpcTestReply.Frame(new ModelInferRequest { ModelName = "m", Id = id }.ToByteArray()))]);

        Assert.Equal(StatusCode.Ok, reply.Status);
        var answers = reply.Messages.Select(message => ModelStreamInferResponse.Parser.ParseFrom(message.Bytes)).ToList();
        Assert.Equal(["1:", "bad:no", "2:"], answers.Select(static message => $"{message.InferResponse.Id}:{message.ErrorMessage}"));
        Assert.All(answers, static message => Assert.True(message.InferResponse.Parameters["triton_final_response"].BoolParam));
    }

    [Fact]
    public async Task Run_ServerStopsWhileTheClientKeepsTheStreamOpen_AnswersWhatItTookAndEndsUnavailable()
    {
        var api = new FakeServingApi();
        await using var server = await GrpcTestServer.StartAsync(api);
        var answer = api.Infer;
        var stopping = server.Services.GetRequiredService<IHostApplicationLifetime>();
        api.Infer = async (call, request, token) =>
        {
            stopping.StopApplication();
            return await answer(call, request, token);
        };
        var body = new DuplexContent();
        var pending = server.SendAsync(GrpcTestServer.StreamInfer, body, default);
        await body.WriteAsync(GrpcTestReply.Frame(new ModelInferRequest { ModelName = "m", Id = "1" }.ToByteArray()));

        using var response = await pending.WaitAsync(GrpcTestServer.Patience);
        var reply = await GrpcTestReply.ReadAsync(response).WaitAsync(GrpcTestServer.Patience);

        Assert.Equal(StatusCode.Unavailable, reply.Status);
        Assert.Equal("1", ModelStreamInferResponse.Parser.ParseFrom(Assert.Single(reply.Messages).Bytes).InferResponse.Id);
        body.Complete();
    }
}
