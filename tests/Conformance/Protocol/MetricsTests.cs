using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary><c>/metrics</c> counts what both interfaces answered.</summary>
public sealed class MetricsTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly Infer Request = new("metrics_add_one", Tensor.Fp32("b", [1, 10], new float[10]));

    [Theory]
    [InlineData("gRPC", "python", "ModelInfer")]
    [InlineData("gRPC", "node", "ModelInfer")]
    [InlineData("REST", "python", "ModelInfer")]
    [InlineData("REST", "node", "ModelInfer")]
    public async Task Metrics_AfterInference_CountSuccessAndFailureByInterface(string protocol, string client, string method)
    {
        string[] labels = ["name=\"metrics_add_one\"", $"interface=\"{protocol}\"", $"method=\"{method}\"", "api=\"KServe\""];
        var before = await MetricsText.ReadAsync(Url);
        for (var i = 0; i < 3; i++)
        {
            await AnswerAsync(protocol, client, Request);
        }

        await FailAsync(protocol, client, Request with { Inputs = [Request.Inputs[0] with { Shape = [10] }] });
        await FailAsync(protocol, client, Request with { Version = "9" });
        var after = await MetricsText.ReadAsync(Url);
        Assert.Equal(3, after.Sum("ovms_requests_success", labels) - before.Sum("ovms_requests_success", labels));
        Assert.Equal(2, after.Sum("ovms_requests_fail", labels) - before.Sum("ovms_requests_fail", labels));
        string[] timed = ["name=\"metrics_add_one\"", $"interface=\"{protocol}\"", "version=\"1\""];
        Assert.Equal(3, after.Sum("ovms_request_time_us_count", timed) - before.Sum("ovms_request_time_us_count", timed));
        Assert.Equal(3, after.Sum("ovms_inference_time_us_count", "name=\"metrics_add_one\"") - before.Sum("ovms_inference_time_us_count", "name=\"metrics_add_one\""));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Metrics_AfterUnreadableRequests_CountThemAsFailures(string client)
    {
        string[] labels = ["name=\"metrics_add_one\"", "interface=\"REST\"", "method=\"ModelInfer\""];
        var before = await MetricsText.ReadAsync(Url);
        await PostAsync(client, "/v2/models/metrics_add_one/infer", "{");
        var after = await MetricsText.ReadAsync(Url);
        Assert.Equal(1, after.Sum("ovms_requests_fail", labels) - before.Sum("ovms_requests_fail", labels));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Metrics_AfterQuestions_CountMetadataReadyAndStreams(string client)
    {
        var before = await MetricsText.ReadAsync(Url);
        await CallAsync<ModelMetadataResponse>(client, "ModelMetadata", new ModelMetadataRequest { Name = "metrics_add_one" });
        await GetAsync(client, "/v2/models/metrics_add_one");
        await CallAsync<ModelReadyResponse>(client, "ModelReady", new ModelReadyRequest { Name = "metrics_add_one" });
        await GetAsync(client, "/v2/models/metrics_add_one/ready");
        await Fixture.Client(client).StreamAsync<ModelStreamInferResponse>(
            Target,
            ClientDriver.InferenceService + "ModelStreamInfer",
            [Request.Raw(), Request.Raw(), (Request with { Inputs = [] }).Raw()]);
        var after = await MetricsText.ReadAsync(Url);
        foreach (var protocol in new[] { "gRPC", "REST" })
        {
            foreach (var method in new[] { "ModelMetadata", "ModelReady" })
            {
                string[] labels = ["name=\"metrics_add_one\"", $"interface=\"{protocol}\"", $"method=\"{method}\""];
                Assert.Equal(1, after.Sum("ovms_requests_success", labels) - before.Sum("ovms_requests_success", labels));
            }
        }

        string[] stream = ["name=\"metrics_add_one\"", "method=\"ModelInferStream\""];
        Assert.Equal(2, after.Sum("ovms_requests_success", stream) - before.Sum("ovms_requests_success", stream));
        Assert.Equal(1, after.Sum("ovms_requests_fail", stream) - before.Sum("ovms_requests_fail", stream));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Metrics_Page_HasEveryFamilyWithItsType(string client)
    {
        await AnswerAsync("gRPC", client, Request);
        var page = await GetAsync(client, "/metrics");
        Assert.Equal(200, page.Status);
        Assert.StartsWith("text/plain", page.Headers["content-type"], StringComparison.Ordinal);
        foreach (var type in new[]
        {
            "ovms_requests_success counter", "ovms_requests_fail counter", "ovms_request_time_us histogram", "ovms_current_requests gauge",
            "ovms_inference_time_us histogram", "ovms_wait_for_infer_req_time_us histogram", "ovms_streams gauge", "ovms_infer_req_queue_size gauge",
            "ovms_infer_req_active gauge", "cluster_waiting_requests gauge", "cluster_rejected_requests counter", "cluster_batch_rows histogram",
            "cluster_models_loaded gauge", "cluster_model_loads counter",
        })
        {
            Assert.Contains($"# TYPE {type}\n", page.Text, StringComparison.Ordinal);
        }
    }
}
