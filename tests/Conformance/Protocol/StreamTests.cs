using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary><c>ModelStreamInfer</c>.</summary>
public sealed class StreamTests(ServerFixture fixture) : ServerTests(fixture)
{
    private const string Method = ClientDriver.InferenceService + "ModelStreamInfer";

    [Theory]
    [InlineData("python", false)]
    [InlineData("node", false)]
    [InlineData("python", true)]
    [InlineData("node", true)]
    public async Task ModelStreamInfer_ManyRequests_AnswersInTheirOrder(string client, bool lockstep)
    {
        var requests = Enumerable.Range(0, 100).Select(static i => Numbered(i).Raw()).ToList();
        var result = await Fixture.Client(client).StreamAsync<ModelStreamInferResponse>(Target, Method, requests, new StreamOptions { Lockstep = lockstep });
        Assert.True(result.Code == "OK", result.Details);
        Assert.Equal(requests.Count, result.Responses.Count);
        for (var i = 0; i < requests.Count; i++)
        {
            AssertAnswers(i, result.Responses[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStreamInfer_SlowBeforeFast_StillAnswersInOrder(string client)
    {
        var slow = new Infer("slow", Tensor.Int64("iterations", [1], 2_000)) { Id = "slow" };
        var result = await Fixture.Client(client).StreamAsync<ModelStreamInferResponse>(Target, Method, [slow.Raw(), Numbered(1).Raw()]);
        Assert.Equal(["slow", "1"], result.Responses.Select(static response => response.InferResponse.Id));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStreamInfer_FailingRequests_AreAnsweredWithMessageAndIdAndTheStreamGoesOn(string client)
    {
        var result = await Fixture.Client(client).StreamAsync<ModelStreamInferResponse>(
            Target,
            Method,
            [
                Numbered(0).Raw(),
                (Numbered(1) with { Model = "nosuch" }).Raw(),
                (Numbered(2) with { Inputs = [Tensor.Int32("b", [1, 10], new int[10])] }).Raw(),
                new Infer("fails_at_run", Tensor.Int64("index", [1], 9)) { Id = "3" }.Raw(),
                (Numbered(4) with { Version = "x" }).Raw(),
                Numbered(5).Raw(),
            ]);
        Assert.True(result.Code == "OK", result.Details);
        Assert.Equal(6, result.Responses.Count);
        AssertAnswers(0, result.Responses[0]);
        string[] says = ["unknown model: 'nosuch'", "'add_one' expects 'FP32'", "'fails_at_run' version 1 failed while running", "version string 'x'"];
        for (var i = 0; i < says.Length; i++)
        {
            var failed = result.Responses[i + 1];
            Assert.Contains(says[i], failed.ErrorMessage, StringComparison.Ordinal);
            Assert.Equal("" + (i + 1), failed.InferResponse.Id);
            Assert.Empty(failed.InferResponse.Outputs);
        }

        AssertAnswers(5, result.Responses[5]);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStreamInfer_NoRequests_EndsWithOk(string client)
    {
        var result = await Fixture.Client(client).StreamAsync<ModelStreamInferResponse>(Target, Method, []);
        Assert.Equal("OK", result.Code);
        Assert.Empty(result.Responses);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStreamInfer_LeftOpen_AnswersAtOnceAndStaysOpen(string client)
    {
        var call = Fixture.Client(client).StartStream<ModelStreamInferResponse>(Target, Method, [Numbered(0).Raw()], new StreamOptions { HalfClose = false });
        AssertAnswers(0, Assert.Single(await call.AwaitResponsesAsync(1, Wait.Limit)));
        Assert.False(call.Completion.IsCompleted);
        await call.CancelAsync();
        Assert.Equal("CANCELLED", (await call.Completion.Soon()).Code);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ModelStreamInfer_DeadlinePasses_EndsTheStream(string client)
    {
        var result = await Fixture.Client(client).StreamAsync<ModelStreamInferResponse>(
            Target, Method, [Numbered(0).Raw()], new StreamOptions { HalfClose = false, Timeout = TimeSpan.FromSeconds(1) });
        Assert.Equal("DEADLINE_EXCEEDED", result.Code);
        AssertAnswers(0, Assert.Single(result.Responses));
    }

    private static Infer Numbered(int i) => new("add_one", Tensor.Fp32("b", [1, 10], [.. Enumerable.Repeat((float)i, 10)])) { Id = "" + i };

    private static void AssertAnswers(int i, ModelStreamInferResponse response)
    {
        Assert.Equal("", response.ErrorMessage);
        Assert.True(response.InferResponse.Parameters["triton_final_response"].BoolParam);
        var answer = InferAnswer.Of(response.InferResponse);
        Assert.Equal("" + i, answer.Id);
        Assert.Equal(Enumerable.Repeat(i + 1f, 10), answer.Output.As<float>());
    }
}
