using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Ovms;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class OvmsConfigTests
{
    [Fact]
    public void Read_EveryModelKeyWithAMeaning_IsMapped()
    {
        var model = Model("""
            "model_version_policy": {"specific": {"versions": [1, 3]}}, "nireq": 8, "batch_size": "1:4", "target_device": "AUTO",
            "plugin_config": {"NUM_STREAMS": "2", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 32}
            """);

        Assert.Equal("/base/models/m", model.BasePath);
        Assert.Equal(VersionPolicy.Specific([1, 3]), model.Definition.Policy);
        var settings = model.Definition.Settings;
        Assert.Equal(8, settings.Concurrency);
        Assert.Equal(4, settings.IntraOpThreads);
        Assert.Equal(PerformanceHint.Latency, settings.PerformanceHint);
        Assert.Equal(new DimensionRange(1, 4), settings.BatchSize);
        Assert.Equal(ExecutionProvider.Auto, settings.ExecutionProvider);
        Assert.Null(model.Definition.Problem);
    }

    [Theory]
    [InlineData("CPU", ExecutionProvider.Auto, "CPU")]
    [InlineData("AUTO", ExecutionProvider.Auto, "CPU")]
    [InlineData("GPU.1", ExecutionProvider.OpenVino, "GPU.1")]
    [InlineData("AUTO:GPU,CPU", ExecutionProvider.OpenVino, "AUTO:GPU,CPU")]
    public void Read_TargetDevice_IsProviderAndDevice(string device, ExecutionProvider provider, string expected)
    {
        var settings = Model($"\"target_device\": \"{device}\"").Definition.Settings;

        Assert.Equal((provider, expected), (settings.ExecutionProvider, settings.ProviderOptions.Device));
    }

    [Fact]
    public void Read_PluginConfigAndCache_AreHandedOnToOpenVino()
    {
        var model = Model("""
            "target_device": "GPU", "allow_cache": true, "nireq": 8,
            "plugin_config": {"NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 6, "SCHEDULING_CORE_TYPE": "PCORE_ONLY", "ENABLE_CPU_PINNING": false}
            """);

        var expected = new ProviderSettings
        {
            Device = "GPU",
            Streams = 2,
            Threads = 6,
            Cache = true,
            Config = """{"GPU":{"SCHEDULING_CORE_TYPE":"PCORE_ONLY","ENABLE_CPU_PINNING":false}}""",
        };
        Assert.Equal(expected, model.Definition.Settings.ProviderOptions);
        Assert.Equal(8, model.Definition.Settings.Concurrency);
    }

    [Fact]
    public void Read_AbsoluteBasePath_IsTaken() =>
        Assert.Equal("/models/x", Assert.Single(Read("""{"model_config_list": [{"config": {"name": "m", "base_path": "/models/x"}}]}""").Models).BasePath);

    [Theory]
    [InlineData("""{"NUM_STREAMS": 3}""", 3, 0)]
    [InlineData("""{"NUM_STREAMS": "AUTO"}""", 0, 0)]
    [InlineData("""{"NUM_STREAMS": "4", "INFERENCE_NUM_THREADS": "8"}""", 4, 2)]
    [InlineData("""{"NUM_STREAMS": 16, "INFERENCE_NUM_THREADS": 8}""", 16, 1)]
    [InlineData("""{"INFERENCE_NUM_THREADS": 8}""", 8, 1)]
    [InlineData("""{"INFERENCE_NUM_THREADS": 8, "PERFORMANCE_HINT": "LATENCY"}""", 1, 8)]
    [InlineData("""{"INFERENCE_NUM_THREADS": 8, "PERFORMANCE_HINT": "THROUGHPUT"}""", 8, 1)]
    [InlineData("""{"INFERENCE_NUM_THREADS": 0}""", 0, 0)]
    public void Read_PluginConfig_SharesOutTheThreads(string plugin, int concurrency, int threads)
    {
        var settings = Model($"\"plugin_config\": {plugin}").Definition.Settings;

        Assert.Equal((concurrency, threads), (settings.Concurrency, settings.IntraOpThreads));
    }

    [Theory]
    [InlineData("\"(1,3,224,224)\"", "", "1,3,224,224")]
    [InlineData("\" ( -1 , 3, 1:8 ) \"", "", "-1,3,1:8")]
    [InlineData("\"-1\"", "", "-1")]
    [InlineData("\"()\"", "", "")]
    [InlineData("""{"x": "(1,2)"}""", "x", "1,2")]
    [InlineData("\"{\\\"x\\\": \\\"(1:2)\\\"}\"", "x", "1:2")]
    public void Read_Shape_LimitsTheInputs(string shape, string input, string expected)
    {
        var (name, dimensions) = Assert.Single(Model($"\"shape\": {shape}").Definition.Settings.InputShapes);

        Assert.Equal(input, name);
        Assert.Equal(expected, string.Join(',', dimensions));
    }

    [Fact]
    public void Read_CumulativeThroughput_IsThroughputWithAWarning()
    {
        var configuration = Read(File("\"plugin_config\": {\"PERFORMANCE_HINT\": \"CUMULATIVE_THROUGHPUT\"}"));

        Assert.Contains("taken as \"THROUGHPUT\"", Assert.Single(configuration.Warnings), StringComparison.Ordinal);
        Assert.Equal(PerformanceHint.Throughput, configuration.Models[0].Definition.Settings.PerformanceHint);
    }

    [Theory]
    [InlineData("\"batch_size\": \"auto\"", "'batch_size' is \"auto\"")]
    [InlineData("\"shape\": \"auto\"", "'shape' is \"auto\"")]
    [InlineData("\"shape\": {\"x\": \"auto\"}", "'shape' of 'x'")]
    [InlineData("\"layout\": \"NHWC:NCHW\"", "'layout' has no effect")]
    [InlineData("\"layout\": {\"x\": \"NHWC\"}", "'layout' has no effect")]
    [InlineData("\"plugin_config\": {\"CACHE_DIR\": \"/x\"}", "'CACHE_DIR' has no effect")]
    public void Read_KeyWithoutEffect_WarnsAndChangesNothing(string key, string expected)
    {
        var configuration = Read(File(key));

        var warning = Assert.Single(configuration.Warnings);
        Assert.Contains("model 'm'", warning, StringComparison.Ordinal);
        Assert.Contains(expected, warning, StringComparison.Ordinal);
        Assert.Equal(Model("\"nireq\": 0").Definition.Revision, configuration.Models[0].Definition.Revision);
    }

    [Theory]
    [InlineData("\"nireq\": 5000", "'nireq' is 5000; 1024", 1024)]
    [InlineData("\"nireq\": 2, \"batch_size\": 4, \"shape\": \"(1)\"", "'batch_size' has no effect beside 'shape'", 2)]
    public void Read_ValueAdapted_Warns(string keys, string expected, int concurrency)
    {
        var configuration = Read(File(keys));

        Assert.Contains(expected, Assert.Single(configuration.Warnings), StringComparison.Ordinal);
        Assert.Equal(concurrency, configuration.Models[0].Definition.Settings.Concurrency);
        Assert.Null(configuration.Models[0].Definition.Settings.BatchSize);
    }

    [Theory]
    [InlineData("\"target_device\": \"TPU\"", "'target_device' is \"TPU\"; supported are \"CPU\", \"GPU\"")]
    [InlineData("\"target_device\": \"HETERO:GPU,CPU\"", "supported are")]
    [InlineData("\"batch_size\": \"many\"", "'batch_size' is \"many\"; expected")]
    [InlineData("\"batch_size\": -5", "'batch_size' is -5; expected")]
    [InlineData("\"shape\": \"(1,a)\"", "'shape' is \"(1,a)\"; expected")]
    [InlineData("\"shape\": \"(1,2\"", "'shape' is \"(1,2\"; expected")]
    [InlineData("\"shape\": \"\"", "'shape' is \"\"; expected")]
    [InlineData("\"shape\": \"{oops\"", "'shape' is no valid object")]
    [InlineData("\"plugin_config\": {\"NUM_STREAMS\": \"many\"}", "'NUM_STREAMS' is \"many\"; expected")]
    [InlineData("\"plugin_config\": {\"NUM_STREAMS\": -1}", "'NUM_STREAMS' is -1; expected")]
    [InlineData("\"plugin_config\": {\"PERFORMANCE_HINT\": \"FAST\"}", "'PERFORMANCE_HINT' is \"FAST\"; expected")]
    [InlineData("\"custom_loader_options\": {\"loader_name\": \"x\"}", "'custom_loader_options' is not supported")]
    [InlineData("\"graph_path\": \"x\"", "'graph_path' is not supported")]
    public void Read_ValueThatAModelCannotHave_IsThatModelsProblem(string key, string expected) =>
        Assert.Contains(expected, Model(key).Definition.Problem, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "'base_path' is missing")]
    [InlineData("\"base_path\": \"\"", "'base_path' is missing")]
    [InlineData("\"base_path\": \"gs://bucket/m\"", "only folders and files of this machine and addresses of s3://")]
    [InlineData("\"base_path\": \"../m\"", "'..' is not allowed")]
    [InlineData("\"base_path\": \"/models/../etc\"", "'..' is not allowed")]
    [InlineData("\"base_path\": \"a\\\\..\\\\b\"", "'..' is not allowed")]
    [InlineData("\"base_path\": \"a\\u0000b\"", "control character")]
    public void Read_BasePathThatIsRefused_IsThatModelsProblem(string key, string expected)
    {
        var comma = key.Length > 0 ? ", " : "";
        var model = Assert.Single(Read($$$"""{"model_config_list": [{"config": {"name": "m"{{{comma}}}{{{key}}}}}]}""").Models);

        Assert.Contains(expected, model.Definition.Problem, StringComparison.Ordinal);
        Assert.Equal("", model.BasePath);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "'the file' is an array")]
    [InlineData("{}", "'model_config_list' is missing")]
    [InlineData("""{"model_config_list": {}}""", "'model_config_list' is an object; expected an array")]
    [InlineData("""{"model_config_list": [], "models": []}""", "unknown key 'models'")]
    [InlineData("""{"model_config_list": [{}]}""", "'model_config_list[0]' lacks 'config'")]
    [InlineData("""{"model_config_list": [{"config": {"name": "m", "base_path": "m"}, "x": 1}]}""", "unknown key 'model_config_list[0].x'")]
    [InlineData("""{"model_config_list": [{"config": {"base_path": "m"}}]}""", "lacks 'name'")]
    [InlineData("""{"model_config_list": [{"config": {"name": "", "base_path": "m"}}]}""", "name \"\" is empty")]
    [InlineData("""{"model_config_list": [{"config": {"name": "a/b", "base_path": "m"}}]}""", "name \"a/b\" has a slash")]
    [InlineData("""{"model_config_list": [], "monitoring": {"metrics": {"on": 1}}}""", "unknown key 'monitoring.metrics.on'")]
    [InlineData("""{"model_config_list": [], "monitoring": {"metrics": {"enable": true, "metrics_list": [1]}}}""", "metrics_list[0]' is 1")]
    [InlineData("""{"model_config_list": [], "pipeline_config_list": [{}]}""", "'pipeline_config_list' is not supported")]
    [InlineData("""{"model_config_list": [], "mediapipe_config_list": [{}]}""", "'mediapipe_config_list' is not supported")]
    [InlineData("""{"model_config_list": [], "custom_loader_config_list": [{}]}""", "'custom_loader_config_list' is not supported")]
    [InlineData("""{"model_config_list": [], "custom_node_library_config_list": [{}]}""", "'custom_node_library_config_list' is not supported")]
    public void Read_WrongFile_IsAnError(string text, string expected) => Assert.Contains(expected, Errors(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("\"mean\": \"1\"", "unknown key 'model_config_list[0].config.mean'")]
    [InlineData("\"nireq\": \"8\"", "nireq' is \"8\"; expected an integer of at least 0")]
    [InlineData("\"nireq\": -1", "nireq' is -1")]
    [InlineData("\"batch_size\": true", "batch_size' is true")]
    [InlineData("\"shape\": [1, 3]", "shape' is an array; expected a string or an object of strings")]
    [InlineData("\"shape\": {\"x\": [1]}", "shape.x' is an array; expected a string")]
    [InlineData("\"layout\": {\"x\": 1}", "layout.x' is 1")]
    [InlineData("\"target_device\": 1", "target_device' is 1")]
    [InlineData("\"plugin_config\": \"x\"", "plugin_config' is \"x\"; expected an object")]
    [InlineData("\"plugin_config\": {\"x\": {}}", "plugin_config.x' is an object")]
    [InlineData("\"allow_cache\": 1", "allow_cache' is 1; expected true or false")]
    [InlineData("\"model_version_policy\": {\"latest\": {\"num\": 1}}", "unknown key")]
    public void Read_WrongKeyOfAModel_MakesTheFileInvalid(string key, string expected) =>
        Assert.Contains(expected, Errors(File(key)), StringComparison.Ordinal);

    [Fact]
    public void Read_EmptySectionsAndMonitoring_AreAccepted()
    {
        var configuration = Read("""
            {
              "model_config_list": [], "pipeline_config_list": [], "mediapipe_config_list": [], "custom_loader_config_list": [],
              "custom_node_library_config_list": [], "monitoring": {"metrics": {"enable": true, "metrics_list": []}}
            }
            """);

        Assert.Empty(configuration.Models);
        Assert.Empty(configuration.Warnings);
    }

    [Fact]
    public void Read_MetricsSwitchedOff_Warns()
    {
        var configuration = Read("""{"model_config_list": [], "monitoring": {"metrics": {"enable": false, "metrics_list": ["x"]}}}""");

        Assert.Equal(2, configuration.Warnings.Length);
        Assert.Contains("metrics are always on", configuration.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NameTwice_TheFirstWins()
    {
        var configuration = Read("""
            {"model_config_list": [
              {"config": {"name": "m", "base_path": "first"}},
              {"config": {"name": "m", "base_path": "second", "layout": "x"}}
            ]}
            """);

        Assert.Equal("/base/first", Assert.Single(configuration.Models).BasePath);
        Assert.Contains("line 3: a model 'm' is named before", Assert.Single(configuration.Warnings), StringComparison.Ordinal);
    }

    private static string File(string keys) =>
        $$$"""{"model_config_list": [{"config": {"name": "m", "base_path": "models/m", {{{keys}}}}}]}""";

    private static ConfiguredModel Model(string keys) => Assert.Single(Read(File(keys)).Models);

    private static OvmsConfiguration Read(string text)
    {
        var errors = new JsonErrors();
        var configuration = OvmsConfigReader.Read(System.Text.Encoding.UTF8.GetBytes(text), "/base", errors);
        Assert.Equal("", errors.ToString());
        return configuration!;
    }

    private static string Errors(string text)
    {
        var errors = new JsonErrors();
        Assert.Null(OvmsConfigReader.Read(System.Text.Encoding.UTF8.GetBytes(text), "/base", errors));
        return errors.ToString();
    }
}
