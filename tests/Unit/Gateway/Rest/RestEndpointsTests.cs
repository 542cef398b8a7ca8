using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Serving;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Everything but inference.</summary>
public sealed class RestEndpointsTests : RestServer
{
    [Theory]
    [InlineData("/v2")]
    [InlineData("/v2/")]
    [InlineData("/v2?test_1=1&test_2=2")]
    public async Task GetServer_AnyForm_IsTheMetadata(string path)
    {
        var answer = await Host.SendAsync(new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept-Encoding", "gzip, deflate" }, { "test", "1" } } });

        Assert.Equal("""{"name":"cluster","version":"0.1","extensions":["binary_tensor_data","statistics"],"runtimes":["1.31.1"]}""", answer.Text);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Null(answer.Header("Content-Encoding"));
    }

    [Fact]
    public async Task GetCluster_SiloWithACopy_TellsOfBoth()
    {
        var node = new NodeDescription
        {
            Silo = "10.0.0.1:8002@7",
            Name = "one",
            Status = "Active",
            Capacity = 100,
            Used = 60,
            Copies = 1,
            OldestIdle = TimeSpan.FromSeconds(1.5),
            Labels = ["gpu"],
            Runtime = "1.31.1",
        };
        var version = new VersionServingState
        {
            Version = 3,
            State = ModelVersionState.Ready,
            Replicas = [new PlacedReplica(0, SiloAddress.FromParsableString(node.Silo))],
            Arriving = [new PlacedReplica(2, SiloAddress.FromParsableString("10.0.0.2:8002@7"))],
            Since = DateTimeOffset.UnixEpoch,
            Cause = "wanted",
            LastUsed = DateTimeOffset.UnixEpoch.AddSeconds(1),
        };
        Host.Api.Cluster = new ClusterOverview(
            new ClusterDescription("test", 4, [node])
            {
                Replicas =
                [
                    new ReplicaFigures
                    {
                        Replica = new ModelReplicaId("m", 3, 0, SiloAddress.FromParsableString(node.Silo)),
                        Bytes = 60,
                        Idle = TimeSpan.FromSeconds(1.5),
                        Waiting = 2,
                        Running = 1,
                        Concurrency = 4,
                        Rejected = 5,
                        Window = TimeSpan.FromSeconds(10),
                        Requests = 25,
                        RunMedian = TimeSpan.FromMilliseconds(1.25),
                        RunP99 = TimeSpan.FromMilliseconds(8),
                    },
                ],
                Versions = [new VersionFigures("m", 3, 50, 2)],
            },
            [new ModelServingState("m", [version], null)], DateTimeOffset.UnixEpoch.AddSeconds(2));

        var answer = await Host.GetAsync("/v2/cluster");

        Assert.Equal(
            """
            {"cluster":"test","membership_version":4,"totals":{"silos":1,"desired_copies":2,"ready_copies":1,"rejected_requests":5,"store":true},
            "nodes":[{"silo":"10.0.0.1:8002@7","name":"one","status":"Active","draining":false,
            "capacity_bytes":100,"used_bytes":60,"copies":1,"loading":0,"oldest_idle_seconds":1.5,"requests_per_minute":0,"labels":["gpu"],"runtime":"1.31.1",
            "disagrees":false,"tensor_memory_bytes":0,"tensor_memory_limit_bytes":0}],
            "models":[{"name":"m","versions":[{"version":3,"state":"READY","reason":"","cause":"wanted","failed":false,"age_seconds":2,
            "last_used_seconds":1,"declared_bytes":50,"desired_copies":2,
            "copies":[{"copy":0,"state":"SERVING","silo":"10.0.0.1:8002@7","bytes":60,"idle_seconds":1.5,"waiting":2,"running":1,"concurrency":4,"stuck":0,"rejected":5,
            "window_seconds":10,"requests_per_second":2.5,"run_p50_ms":1.25,"run_p99_ms":8},{"copy":2,"state":"LOADING","silo":"10.0.0.2:8002@7"}],
            "failed_on":[]}]}],"aliases":[]}
            """.ReplaceLineEndings(""),
            answer.Text);
    }

    [Theory]
    [InlineData(true, 200)]
    [InlineData(false, 503)]
    public async Task GetHealth_ByReadiness_StatusAndBody(bool ready, int status)
    {
        Host.Api.IsReady = ready;
        Host.Api.ModelReady = ready;
        var word = ready ? "true" : "false";

        var live = await Host.GetAsync("/v2/health/live/");
        var server = await Host.GetAsync("/v2/health/ready");
        var model = await Host.GetAsync("/v2/models/m/versions/3/ready/");

        Assert.Equal((200, """{"live":true}"""), (live.Status, live.Text));
        Assert.Equal((status, $$"""{"ready":{{word}}}"""), (server.Status, server.Text));
        Assert.Equal((status, ready ? """{"name":"m","ready":true}""" : """{"name":"m","ready":false,"reason":"unloaded on request"}"""), (model.Status, model.Text));
        Assert.Equal(("m", "3"), Host.Api.Asked);
    }

    [Theory]
    [InlineData("/v2/models/a%20b%3Ac", "a b:c", "")]
    [InlineData("/v2/models/stats2/versions/12", "stats2", "12")]
    [InlineData("/v2/models/m/?x=1", "m", "")]
    [InlineData("/v2/models/%C3%A9", "\u00e9", "")]
    public async Task GetModel_NameAndVersion_AreThePaths(string path, string model, string version)
    {
        var answer = await Host.GetAsync(path);

        Assert.Equal(200, answer.Status);
        Assert.Equal((model, version), Host.Api.Asked);
    }

    [Fact]
    public async Task GetModel_Metadata_IsComplete()
    {
        Host.Api.Metadata = new ModelMetadataResponse { Name = "m", Versions = { "2", "1" }, Platform = "onnxruntime_onnx", Properties = { { "producer", "x" } } };
        Host.Api.Metadata.Inputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = "A", Datatype = "FP32", Shape = { -1, 4 } });
        Host.Api.Metadata.Outputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = "B", Datatype = "INT64" });

        Assert.Equal(
            """{"name":"m","versions":["2","1"],"platform":"onnxruntime_onnx","inputs":[{"name":"A","datatype":"FP32","shape":[-1,4]}],"outputs":[{"name":"B","datatype":"INT64","shape":[]}],"properties":{"producer":"x"}}""",
            (await Host.GetAsync("/v2/models/m")).Text);
    }

    [Fact]
    public async Task GetConfig_Full_IsWrittenInTheProtosNames()
    {
        Host.Api.Config = new ModelConfig
        {
            Name = "m",
            Platform = "onnxruntime_onnx",
            Backend = "onnxruntime",
            MaxBatchSize = 8,
            DefaultModelFilename = "model.onnx",
            VersionPolicy = new ModelVersionPolicy { Specific = new ModelVersionPolicy.Types.Specific { Versions = { 1, 3 } } },
            DynamicBatching = new ModelDynamicBatching { PreferredBatchSize = { 4 }, MaxQueueDelayMicroseconds = 100 },
            ModelTransactionPolicy = new ModelTransactionPolicy(),
            Parameters = { { "k", new ModelParameter { StringValue = "v" } } },
        };
        Host.Api.Config.Input.Add(new ModelInput { Name = "A", DataType = DataType.TypeFp32, Format = ModelInput.Types.Format.Nchw, Dims = { -1, 9007199254740993 } });
        Host.Api.Config.Output.Add(new ModelOutput { Name = "B", DataType = DataType.TypeString, Dims = { 1 }, LabelFilename = "l.txt" });
        Host.Api.Config.InstanceGroup.Add(new ModelInstanceGroup { Name = "g", Count = 2, Kind = ModelInstanceGroup.Types.Kind.Cpu });

        Assert.Equal(
            """
            {"name":"m","platform":"onnxruntime_onnx","backend":"onnxruntime","version_policy":{"specific":{"versions":[1,3]}},"max_batch_size":8,
            "input":[{"name":"A","data_type":"TYPE_FP32","format":"FORMAT_NCHW","dims":[-1,9007199254740993],"is_shape_tensor":false,"optional":false}],
            "output":[{"name":"B","data_type":"TYPE_STRING","dims":[1],"label_filename":"l.txt","is_shape_tensor":false}],
            "instance_group":[{"name":"g","kind":"KIND_CPU","count":2}],"default_model_filename":"model.onnx",
            "dynamic_batching":{"preferred_batch_size":[4],"max_queue_delay_microseconds":100},"parameters":{"k":{"string_value":"v"}},"model_transaction_policy":{"decoupled":false}}
            """.ReplaceLineEndings(""),
            (await Host.GetAsync("/v2/models/m/config")).Text);
    }

    [Fact]
    public async Task GetConfig_UnsetMessages_AreLeftOut()
    {
        Host.Api.Config = new ModelConfig { Name = "m", VersionPolicy = new ModelVersionPolicy { All = new ModelVersionPolicy.Types.All() } };

        var config = (await Host.GetAsync("/v2/models/m/versions/1/config")).Json;

        Assert.Equal("""{"all":{}}""", config.GetProperty("version_policy").GetRawText());
        foreach (var member in new[] { "dynamic_batching", "sequence_batching", "ensemble_scheduling", "response_cache", "model_transaction_policy" })
        {
            Assert.False(config.TryGetProperty(member, out _), member);
        }
    }

    [Theory]
    [InlineData("/v2/models/stats", "", "")]
    [InlineData("/v2/models/m/stats", "m", "")]
    [InlineData("/v2/models/m/versions/2/stats", "m", "2")]
    public async Task GetStatistics_UnsetDurations_AreThereAllTheSame(string path, string model, string version)
    {
        Host.Api.Statistics.ModelStats.Add(new ModelStatistics { Name = "m", InferenceCount = ulong.MaxValue });

        var answer = await Host.GetAsync(path);

        Assert.Equal((model, version), Host.Api.Asked);
        var statistics = answer.Json.GetProperty("model_stats")[0];
        Assert.Equal("", statistics.GetProperty("version").GetString());
        Assert.Equal(ulong.MaxValue, statistics.GetProperty("inference_count").GetUInt64());
        foreach (var name in new[] { "success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss" })
        {
            Assert.Equal("""{"count":0,"ns":0}""", statistics.GetProperty("inference_stats").GetProperty(name).GetRawText());
        }
    }

    [Fact]
    public async Task GetStatistics_Full_IsComplete()
    {
        var duration = new StatisticDuration { Count = 2, Ns = 30 };
        var model = new ModelStatistics
        {
            Name = "m",
            Version = "1",
            LastInference = 5,
            InferenceCount = 8,
            ExecutionCount = 2,
            ExecutionProvider = "cpu",
            InferenceStats = new InferStatistics { Success = duration },
        };
        model.BatchStats.Add(new InferBatchStatistics { BatchSize = 4, ComputeInfer = duration });
        model.MemoryUsage.Add(new MemoryUsage { Type = "CPU", ByteSize = 7 });
        model.ResponseStats.Add("0", new InferResponseStatistics { Success = duration });
        Host.Api.Statistics.ModelStats.Add(model);
        const string Zero = """{"count":0,"ns":0}""";
        const string Set = """{"count":2,"ns":30}""";

        Assert.Equal(
            $$$"""
            {"model_stats":[{"name":"m","version":"1","last_inference":5,"inference_count":8,"execution_count":2,
            "inference_stats":{"success":{{{Set}}},"fail":{{{Zero}}},"queue":{{{Zero}}},"compute_input":{{{Zero}}},"compute_infer":{{{Zero}}},"compute_output":{{{Zero}}},"cache_hit":{{{Zero}}},"cache_miss":{{{Zero}}},"cancel":{{{Zero}}}},
            "response_stats":{"0":{"compute_infer":{{{Zero}}},"compute_output":{{{Zero}}},"success":{{{Set}}},"fail":{{{Zero}}},"empty_response":{{{Zero}}},"cancel":{{{Zero}}}}},
            "batch_stats":[{"batch_size":4,"compute_input":{{{Zero}}},"compute_infer":{{{Set}}},"compute_output":{{{Zero}}}}],"memory_usage":[{"type":"CPU","id":0,"byte_size":7}],"execution_provider":"cpu"}]}
            """.ReplaceLineEndings(""),
            (await Host.GetAsync("/v2/models/m/stats")).Text);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("{}", false)]
    [InlineData("""{"other":[1],"ready":true}""", true)]
    [InlineData("""{"ready":false}""", false)]
    public async Task GetIndex_Body_ChoosesReadyOnly(string? body, bool readyOnly)
    {
        AddIndex();

        var answer = await Host.PostAsync("/v2/repository/index", body);

        Assert.Equal(
            """[{"name":"a","version":"2","state":"READY"},{"name":"a","version":"1","state":"UNAVAILABLE","reason":"unloaded on request"},{"name":"b","version":"1","state":"UNAVAILABLE","reason":"no such file"},{"name":"c"}]""",
            answer.Text);
        Assert.Equal(readyOnly, Host.Api.AskedReadyOnly);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"ready":1}""")]
    public async Task GetIndex_BadBody_Is400(string body) => Assert.Equal(400, (await Host.PostAsync("/v2/repository/index", body)).Status);

    [Fact]
    public async Task GetNamesAndConfigStatus_FromTheIndex()
    {
        AddIndex();

        Assert.Equal("""{"models":["a","b","c"]}""", (await Host.GetAsync("/v2/models")).Text);
        var status =
            """
            {"a":{"model_version_status":[{"version":"2","state":"AVAILABLE","status":{"error_code":"OK","error_message":"OK"}},
            {"version":"1","state":"END","status":{"error_code":"OK","error_message":"unloaded on request"}}]},
            "b":{"model_version_status":[{"version":"1","state":"END","status":{"error_code":"UNKNOWN","error_message":"no such file"}}]},"c":{"model_version_status":[]}}
            """.ReplaceLineEndings("");
        Assert.Equal(status, (await Host.GetAsync("/v1/config")).Text);
        Assert.Equal(status, (await Host.PostAsync("/v1/config/reload")).Text);
    }

    [Fact]
    public async Task Reload_Problems_AreTold()
    {
        Host.Api.Problems = ["model 'a': bad settings"];

        var answer = await Host.PostAsync("/v1/config/reload");

        Assert.Equal(400, answer.Status);
        Assert.Contains("model 'a': bad settings", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_Parameters_KeepTheirKinds()
    {
        var answer = await Host.PostAsync(
            "/v2/repository/models/a%20b/load", """{"parameters":{"config":"{\"name\":\"x\"}","file:1/model.onnx":"AQID","n":4,"f":true}}""");

        Assert.Equal((200, """{"name":"a b","load":true}"""), (answer.Status, answer.Text));
        var load = Host.Api.LastLoad!;
        Assert.Equal("a b", load.ModelName);
        Assert.Equal("""{"name":"x"}""", load.Parameters["config"].StringParam);
        Assert.Equal([1, 2, 3], load.Parameters["file:1/model.onnx"].BytesParam.ToByteArray());
        Assert.Equal(4, load.Parameters["n"].Int64Param);
        Assert.True(load.Parameters["f"].BoolParam);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"parameters":{"unload_dependents":true}}""")]
    public async Task Unload_AnyBody_Unloads(string? body)
    {
        var answer = await Host.PostAsync("/v2/repository/models/m/unload", body);

        Assert.Equal((200, """{"name":"m","unload":true}"""), (answer.Status, answer.Text));
        Assert.Equal(body?.Contains("true", StringComparison.Ordinal) == true ? 1 : 0, Host.Api.LastUnload!.Parameters.Count);
    }

    [Theory]
    [InlineData("""{"parameters":{"file:x":"!"}}""")]
    [InlineData("""{"parameters":{"x":1.5}}""")]
    [InlineData("""{"parameters":1}""")]
    public async Task Load_BadBody_Is400(string body)
    {
        var answer = await Host.PostAsync("/v2/repository/models/m/load", body);

        Assert.Equal(400, answer.Status);
        Assert.Contains("parameter", answer.Error, StringComparison.Ordinal);
        Assert.Null(Host.Api.LastLoad);
    }

    [Theory]
    [InlineData("GET", "/v2/systemsharedmemory/status")]
    [InlineData("POST", "/v2/systemsharedmemory/region/r/register")]
    [InlineData("GET", "/v2/cudasharedmemory/region/r/status")]
    [InlineData("POST", "/v2/cudasharedmemory/unregister")]
    [InlineData("GET", "/v2/trace/setting")]
    [InlineData("POST", "/v2/models/m/trace/setting")]
    [InlineData("GET", "/v2/logging")]
    [InlineData("POST", "/v2/models/m/generate")]
    [InlineData("POST", "/v2/models/m/versions/1/generate_stream")]
    public async Task Any_ExtensionNotOffered_Is501(string verb, string path)
    {
        var answer = await Host.SendAsync(new HttpRequestMessage(new HttpMethod(verb), path));

        Assert.Equal(501, answer.Status);
        Assert.Contains("not offered", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_VersionInThePath_ReachesTheCall()
    {
        await Host.PostAsync("/v2/models/m/versions/42/infer/?q=1", """{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}]}""");

        Assert.Equal(("m", "42"), (Host.Api.LastCall!.Value.Model, Host.Api.LastCall.Value.Version));
        Assert.Equal("42", Host.Api.LastRequest!.ModelVersion);
    }

    private void AddIndex()
    {
        Host.Api.Index.Models.Add(new RepositoryIndexResponse.Types.ModelIndex { Name = "a", Version = "2", State = "READY" });
        Host.Api.Index.Models.Add(new RepositoryIndexResponse.Types.ModelIndex { Name = "a", Version = "1", State = "UNAVAILABLE", Reason = "unloaded on request" });
        Host.Api.Index.Models.Add(new RepositoryIndexResponse.Types.ModelIndex { Name = "b", Version = "1", State = "UNAVAILABLE", Reason = "no such file" });
        Host.Api.Index.Models.Add(new RepositoryIndexResponse.Types.ModelIndex { Name = "c" });
    }
}
