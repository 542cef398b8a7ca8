using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Versions;

/// <summary>A server that is configured by a <c>config.json</c> in OVMS's form.</summary>
public sealed class OvmsConfigTests(OvmsConfigTests.OvmsServer fixture) : IClassFixture<OvmsConfigTests.OvmsServer>
{
    [Theory]
    [InlineData("by_default", "3")]
    [InlineData("latest2", "2,3")]
    [InlineData("all", "1,2,3")]
    [InlineData("specific", "1,2")]
    public async Task Infer_Versions_ThoseOfThePolicyServeAndTheHighestIsTheDefault(string model, string served)
    {
        var versions = served.Split(',');
        foreach (var client in new[] { "python", "node" })
        {
            foreach (var version in new[] { "", "1", "2", "3" })
            {
                var request = new Infer(model, Tensor.Fp32("INPUT0", [1], 10)) { Version = version };
                var grpc = await fixture.Harness.Client(client).UnaryAsync<ModelInferResponse>(
                    fixture.Harness.Server.GrpcTarget, ClientDriver.InferenceService + "ModelInfer", request.Raw());
                var rest = await fixture.Harness.Client(client).HttpAsync(request.Json(fixture.Harness.Server.HttpUrl));
                if (version.Length > 0 && !versions.Contains(version))
                {
                    Assert.Equal(("NOT_FOUND", 404), (grpc.Code, rest.Status));
                    continue;
                }

                var expected = version.Length == 0 ? versions[^1] : version;
                Assert.Equal(expected, InferAnswer.Of(grpc).Version);
                Assert.Equal(expected, InferAnswer.Of(rest).Version);
            }
        }
    }

    [Fact]
    public async Task Infer_ShapeOfTheConfiguration_IsEnforced()
    {
        var client = fixture.Harness.Client("python");
        var url = fixture.Harness.Server.HttpUrl;
        Assert.Equal(200, (await client.HttpAsync(new Infer("shaped", Tensor.Fp32("INPUT0", [2, 4], new float[8])).Json(url))).Status);
        var refused = await client.HttpAsync(new Infer("shaped", Tensor.Fp32("INPUT0", [3, 4], new float[12])).Json(url));
        Assert.Equal(400, refused.Status);
        Assert.Contains("[3,4]", refused.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConfigStatus_ModelThatCannotBeServed_SaysWhy()
    {
        var status = (await fixture.Harness.Client("node").HttpAsync(new HttpCall("GET", fixture.Harness.Server.HttpUrl + "/v1/config"))).Json;
        Assert.Equal("AVAILABLE", status.GetProperty("latest2").GetProperty("model_version_status")[2].GetProperty("state").GetString());
        var index = (await fixture.Harness.Client("node").HttpAsync(new HttpCall("POST", fixture.Harness.Server.HttpUrl + "/v2/repository/index"))).Json;
        var gpu = index.EnumerateArray().First(static row => row.GetProperty("name").GetString() == "on_gpu");
        Assert.Contains("GPU", gpu.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    public sealed class OvmsServer : IAsyncLifetime
    {
        private readonly ModelFolder _folder = ModelFolder.Create();
        private Harness? _harness;

        internal Harness Harness => _harness!;

        public async ValueTask InitializeAsync()
        {
            var multi = Path.Combine(TestPaths.TestModels, "multi");
            _folder.Add(multi).Add(Path.Combine(TestPaths.TestModels, "batchy"));
            var config = Path.Combine(_folder.Path, "config.json");
            await File.WriteAllTextAsync(
                config,
                $$$$$"""
                {"model_config_list": [
                  {"config": {"name": "by_default", "base_path": "{{{{{multi}}}}}"}},
                  {"config": {"name": "latest2", "base_path": "multi", "model_version_policy": {"latest": {"num_versions": 2}}}},
                  {"config": {"name": "all", "base_path": "multi", "model_version_policy": {"all": {}}, "nireq": 2}},
                  {"config": {"name": "specific", "base_path": "multi", "model_version_policy": {"specific": {"versions": [1, 2]}}}},
                  {"config": {"name": "shaped", "base_path": "batchy", "shape": "(1:2,4)", "plugin_config": {"PERFORMANCE_HINT": "LATENCY"}}},
                  {"config": {"name": "on_gpu", "base_path": "multi", "target_device": "GPU"}}
                ]}
                """);
            _harness = await Harness.StartAsync("--config", config, "--poll-seconds", "0");
        }

        public async ValueTask DisposeAsync()
        {
            await (_harness?.DisposeAsync() ?? ValueTask.CompletedTask);
            _folder.Dispose();
        }
    }
}
