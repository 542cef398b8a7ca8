using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

public sealed class RequestTimeoutTests
{
    private const string Request = """{"inputs":[{"name":"a","datatype":"INT32","shape":[1],"data":[1]}]}""";

    [Fact]
    public async Task Infer_ModelTakesLongerThanTheTimeout_IsStoppedAndAnswered504()
    {
        await using var host = await RestHost.StartAsync();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Api.Infer = async (_, _, token) =>
        {
            await using var registration = token.Register(() => stopped.TrySetResult());
            await stopped.Task.Soon();
            return InferReply.Failed(Failure.Cancelled("stopped"));
        };

        var answer = await host.InferAsync(Request, ("X-Request-Timeout", "50")).Soon();

        Assert.Equal(504, answer.Status);
        Assert.Contains("50 ms", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_WithinTheTimeout_IsAnswered()
    {
        await using var host = await RestHost.StartAsync();

        var answer = await host.InferAsync(Request, ("X-Request-Timeout", "60000")).Soon();

        Assert.Equal(200, answer.Status);
        Assert.InRange(host.Api.LastCall!.Value.Timeout!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
    }
}
