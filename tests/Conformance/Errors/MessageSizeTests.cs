using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>A server that takes at most 1 MiB a message.</summary>
public sealed class MessageSizeTests(MessageSizeTests.SmallServer fixture) : IClassFixture<MessageSizeTests.SmallServer>
{
    private const int Limit = 1 << 20;

    public static TheoryData<string, string> Interfaces => ServerTests.Interfaces;

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_MessageAboveTheLimit_IsRefusedWithTheLimitAndWithoutARetryHint(string protocol, string client)
    {
        var request = Request(Limit / sizeof(float));
        if (protocol == "gRPC")
        {
            foreach (var compression in new[] { "none", "gzip" })
            {
                var result = await GrpcAsync(client, request, compression);
                Assert.Equal("RESOURCE_EXHAUSTED", result.Code);
                Assert.Contains("1048576", result.Details, StringComparison.Ordinal);
                Assert.DoesNotContain("grpc-retry-pushback-ms", result.Trailers.Keys);
            }

            return;
        }

        foreach (var call in new[] { request.Binary(fixture.Server.HttpUrl), request.Binary(fixture.Server.HttpUrl) with { Compress = "gzip" } })
        {
            foreach (var chunked in new[] { false, true })
            {
                var sent = chunked ? call with { Headers = [.. call.Headers, new("Transfer-Encoding", "chunked")] } : call;
                var result = await fixture.Client(client).HttpAsync(sent);
                Assert.True(result.Status == 413, $"{result.Status} {result.Error} {result.Details}");
                Assert.Contains("1048576", result.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
                Assert.DoesNotContain("retry-after", result.Headers.Keys);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public async Task Infer_MessageJustBelowTheLimit_IsAnswered(string protocol, string client)
    {
        var request = Request((Limit / sizeof(float)) - 256) with { BinaryOutput = true };
        var answer = protocol == "gRPC"
            ? InferAnswer.Of(await GrpcAsync(client, request, "none"))
            : InferAnswer.Of(await fixture.Client(client).HttpAsync(request.Binary(fixture.Server.HttpUrl)));
        Assert.Equal(request.Inputs[0].Data.Length, answer.Output.Data.Length);
    }

    private static Infer Request(int elements) => new("vector_fp32", Tensor.Fp32("INPUT0", [elements], new float[elements]));

    private Task<GrpcResult<ModelInferResponse>> GrpcAsync(string client, Infer request, string compression) =>
        fixture.Client(client).UnaryAsync<ModelInferResponse>(
            fixture.Server.GrpcTarget, ClientDriver.InferenceService + "ModelInfer", request.Raw(), new CallOptions { Compression = compression });

    public sealed class SmallServer : IAsyncLifetime
    {
        private readonly ModelFolder _models = ModelFolder.Create();
        private Harness? _harness;

        public ServerProcess Server => _harness!.Server;

        public ClientDriver Client(string name) => _harness!.Client(name);

        public async ValueTask InitializeAsync()
        {
            _models.Add(Path.Combine(TestPaths.TestModels, "vector_fp32"));
            _harness = await Harness.StartAsync("--models", _models.Path, "--max-message-mib", "1", "--poll-seconds", "0");
        }

        public async ValueTask DisposeAsync()
        {
            await (_harness?.DisposeAsync() ?? ValueTask.CompletedTask);
            _models.Dispose();
        }
    }
}
