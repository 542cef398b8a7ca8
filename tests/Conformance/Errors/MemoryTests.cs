using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>A run that needs more memory than there is, is refused, and the server lives on.</summary>
public sealed class MemoryTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_RunThatFitsNowhere_IsRefusedWithoutARetryHint(string client)
    {
        // 4 TB of floats.
        var grpc = await InferAsync(client, Request(1e12f).Raw());
        Assert.Equal("RESOURCE_EXHAUSTED", grpc.Code);
        Assert.Contains("this run of model 'hungry' version 1 does not fit in memory", grpc.Details, StringComparison.Ordinal);
        Assert.DoesNotContain("grpc-retry-pushback-ms", grpc.Trailers.Keys);

        var rest = await HttpAsync(client, Request(1e12f).Json(Url));
        Assert.Equal("413", Failure(rest).Status);
        Assert.DoesNotContain("retry-after", rest.Headers.Keys);

        Assert.Equal("OK", (await InferAsync(client, Request(0).Raw())).Code);
    }

    private static Infer Request(float floats) => new("hungry", Tensor.Fp32("X", [1], floats));
}
