using System.Collections.Immutable;
using System.Text;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class ModelSettingsReaderTests
{
    [Fact]
    public void Read_EveryKey_IsMapped()
    {
        var definition = Read("""
            {
              "$schema": "../model.schema.json",
              "version_policy": {"latest": {"num_versions": 3}},
              "execution_provider": "openvino",
              "concurrency": 4,
              "queue_limit": 0,
              "intra_op_threads": 2,
              "run_memory_mib": 3,
              "graph_optimization": "basic",
              "performance_hint": "latency",
              "batch_size": "1:8",
              "input_shapes": {"image": [-1, 3, "32:224", "7"], "scalar": []},
              "labels": {"class": "sub/names.txt"},
              "min_copies": 2,
              "max_copies": 3,
              "required_labels": ["gpu", "big", "gpu"],
              "preferred_labels": ["near"]
            }
            """);

        Assert.Equal(VersionPolicy.Latest(3), definition.Policy);
        var settings = definition.Settings;
        Assert.Equal(ExecutionProvider.OpenVino, settings.ExecutionProvider);
        Assert.Equal(4, settings.Concurrency);
        Assert.Equal(0, settings.QueueLimit);
        Assert.Equal(2, settings.IntraOpThreads);
        Assert.Equal(3L << 20, settings.MaxRunBytes);
        Assert.Equal(GraphOptimization.Basic, settings.GraphOptimization);
        Assert.Equal(PerformanceHint.Latency, settings.PerformanceHint);
        Assert.Equal(new DimensionRange(1, 8), settings.BatchSize);
        Assert.Equal(
            [DimensionRange.Any, DimensionRange.Exactly(3), new DimensionRange(32, 224), DimensionRange.Exactly(7)],
            settings.InputShapes["image"].ToArray());
        Assert.Empty(settings.InputShapes["scalar"]);
        Assert.Equal("sub/names.txt", settings.Labels["class"]);
        Assert.Equal((2, 3), (settings.MinCopies, settings.MaxCopies));
        Assert.Equal(["big", "gpu"], settings.RequiredLabels.ToArray());
        Assert.Equal(["near"], settings.PreferredLabels.ToArray());
    }

    [Theory]
    [InlineData("""{"min_copies": 3, "max_copies": 2}""", "line 1: 'max_copies' is 2, less than 'min_copies', 3")]
    [InlineData("""{"max_batch_size": 4, "batch_size": 4}""", "line 1: 'max_batch_size' and 'batch_size' both limit the first dimension; expected one of them")]
    [InlineData("""{"format": {"x": "chw"}}""", "'format.x' is \"chw\"; expected")]
    [InlineData("""{"format": "nchw"}""", "'format' is \"nchw\"; expected an object")]
    [InlineData("""{"required_labels": ["a b"]}""", "'required_labels[0]' is \"a b\"; expected a label: a string without spaces and commas")]
    [InlineData("""{"preferred_labels": [1]}""", "'preferred_labels[0]' is 1; expected a label")]
    public void Read_CopiesThatCannotBe_IsAnError(string text, string expected)
    {
        var errors = new JsonErrors();

        Assert.Null(ModelSettingsReader.Read(Encoding.UTF8.GetBytes(text), errors));
        Assert.Contains(expected, errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BatchAndFormat_AreToldAndLimitTheBatch()
    {
        var definition = Read("""{"max_batch_size": 8, "format": {"image": "nchw", "": "nhwc"}}""");

        Assert.Equal((8, "1:8"), (definition.Settings.MaxBatchSize, definition.Settings.BatchSize.ToString()));
        Assert.Equal((ImageFormat.Nchw, ImageFormat.Nhwc), (definition.Settings.Format["image"], definition.Settings.Format[""]));
        Assert.NotEqual(Read("""{"batch_size": "1:8"}""").CopyRevision, definition.CopyRevision);
    }

    [Fact]
    public void Read_NoKey_IsTheDefault() => Assert.Equal(ModelDefinition.Default.Revision, Read("{}").Revision);

    [Fact]
    public void Read_AdaptiveConcurrency_LeavesTheNumberToTheHint()
    {
        var settings = Read("""{"concurrency": "adaptive"}""").Settings;

        Assert.True(settings.AdaptiveConcurrency);
        Assert.Equal(0, settings.Concurrency);
    }

    [Fact]
    public void Read_ByteOrderMark_IsSkipped() => Assert.Equal(2, Read("\uFEFF{\"concurrency\": 2}").Settings.Concurrency);

    [Theory]
    [InlineData("""{"all": {}}""", "9,5,2,1")]
    [InlineData("""{"latest": {}}""", "9")]
    [InlineData("""{"latest": {"num_versions": 2}}""", "9,5")]
    [InlineData("""{"specific": {"versions": [5, 1, 5, 7]}}""", "5,1")]
    public void Read_VersionPolicy_SelectsAsItSays(string policy, string expected) =>
        Assert.Equal(expected, string.Join(',', Read($$"""{"version_policy": {{policy}}}""").Policy.Select([1, 2, 5, 9])));

    [Theory]
    [InlineData("""{"batch_size": -1}""", null)]
    [InlineData("""{"batch_size": "-1"}""", null)]
    [InlineData("""{"batch_size": 4}""", "4")]
    [InlineData("""{"batch_size": "4"}""", "4")]
    [InlineData("""{"batch_size": " 2 : 4 "}""", "2:4")]
    public void Read_BatchSize_IsALimitOrNone(string text, string? expected) => Assert.Equal(expected, Read(text).Settings.BatchSize?.ToString());

    [Theory]
    [InlineData("", "line 1: not valid JSON at position 1: it is empty")]
    [InlineData("{", "not valid JSON at position 2: it ends too early")]
    [InlineData("{} {}", "not valid JSON")]
    [InlineData("{\n  // why\n}", "line 2: not valid JSON")]
    [InlineData("{\n  \"concurrency\": 1,\n}", "line 3: not valid JSON at position 1: unexpected '}' after ','")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested deeper than 32 levels")]
    [InlineData("[]", "'the file' is an array; expected an object")]
    [InlineData("{\n\n\"concurency\": 1}", "line 3: unknown key 'concurency'; allowed here: '$schema', 'batch_size', 'batching', 'concurrency'")]
    [InlineData("{\"batching\": {}}", "'batching' has no 'max_size'; expected the rows of the largest run, from 2")]
    [InlineData("{\"batching\": {\"max_size\": 1}}", "'batching.max_size' is 1; expected an integer from 2 to 65536")]
    [InlineData("{\"batching\": {\"max_size\": 4, \"preferred_sizes\": [8, 2]}}", "'batching.preferred_sizes' has 8, more than 'max_size', 4")]
    [InlineData("{\"batching\": {\"max_size\": 4, \"padding\": {\"x\": {\"value\": 1}}}}", "'batching.padding.x' has no 'dimension'")]
    [InlineData("{\"batching\": {\"max_size\": 4, \"padding\": {\"x\": {\"dimension\": 1, \"by\": 1}}}}", "unknown key 'batching.padding.x.by'; allowed here: 'dimension', 'value'")]
    [InlineData("{\"priority_levels\": 2, \"default_priority\": 3}", "'default_priority' is 3, more than 'priority_levels', 2")]
    [InlineData("""{"concurrency": 1, "concurrency": 2}""", "'concurrency' is given twice")]
    [InlineData("""{"concurrency": "many"}""", "'concurrency' is \"many\"; expected an integer from 0 to 1024, or \"adaptive\"")]
    [InlineData("{\"concurrency\": \"adaptive\",\n\"batching\": {\"max_size\": 2}}", "line 2: 'concurrency' is \"adaptive\", which is not possible beside 'batching'")]
    [InlineData("""{"concurrency": 1025}""", "'concurrency' is 1025; expected an integer from 0 to 1024")]
    [InlineData("""{"concurrency": 1.0}""", "'concurrency' is 1.0;")]
    [InlineData("""{"concurrency": null}""", "'concurrency' is null;")]
    [InlineData("""{"concurrency": 99999999999999999999}""", "is 99999999999999999999;")]
    [InlineData("""{"queue_limit": 1000001}""", "expected an integer from 0 to 1000000")]
    [InlineData("""{"intra_op_threads": -1}""", "'intra_op_threads' is -1; expected an integer from 0 to 1024")]
    [InlineData("""{"execution_provider": "gpu"}""", "'execution_provider' is \"gpu\"; expected one of \"auto\", \"cpu\", \"openvino\"")]
    [InlineData("""{"graph_optimization": true}""", "'graph_optimization' is true; expected one of \"all\", \"basic\"")]
    [InlineData("""{"performance_hint": "LATENCY"}""", "expected one of \"auto\", \"latency\", \"throughput\"")]
    [InlineData("""{"batch_size": 0}""", "'batch_size' is 0; expected -1 for any size, an integer of at least 1")]
    [InlineData("""{"batch_size": "8:1"}""", "'batch_size' is \"8:1\"")]
    [InlineData("""{"batch_size": "auto"}""", "'batch_size' is \"auto\"")]
    [InlineData("""{"input_shapes": {"x": [1, -2]}}""", "'input_shapes.x[1]' is -2; expected -1 for any size")]
    [InlineData("""{"input_shapes": {"x": 3}}""", "'input_shapes.x' is 3; expected an array")]
    [InlineData("""{"input_shapes": []}""", "'input_shapes' is an array; expected an object")]
    [InlineData("""{"labels": {"y": "../secret"}}""", "'labels.y' is \"../secret\"; expected the name of a file in the version's folder")]
    [InlineData("""{"labels": {"y": "/etc/passwd"}}""", "'labels.y' is \"/etc/passwd\"")]
    [InlineData("""{"labels": {"y": 1}}""", "'labels.y' is 1; expected the name of a file")]
    [InlineData("""{"version_policy": {}}""", "'version_policy' is an object; expected an object with one of")]
    [InlineData("""{"version_policy": {"all": {}, "latest": {}}}""", "expected an object with one of 'latest', 'all', 'specific'")]
    [InlineData("""{"version_policy": {"newest": {}}}""", "unknown key 'version_policy.newest'")]
    [InlineData("""{"version_policy": {"all": {"x": 1}}}""", "unknown key 'version_policy.all.x'")]
    [InlineData("""{"version_policy": {"latest": {"num_versions": 0}}}""", "'version_policy.latest.num_versions' is 0; expected an integer from 1")]
    [InlineData("""{"version_policy": {"specific": {}}}""", "'version_policy.specific' lacks 'versions'")]
    [InlineData("""{"version_policy": {"specific": {"versions": []}}}""", "names no version")]
    [InlineData("""{"version_policy": {"specific": {"versions": [1, 0]}}}""", "versions[1]' is 0; expected an integer of at least 1")]
    [InlineData("{\"labels\": {\"y\": \"\\ud800\"}}", "surrogate")]
    [InlineData("""{"provider_options": []}""", "'provider_options' is an array; expected an object")]
    [InlineData("""{"provider_options": {"num_streams": 2}}""", "unknown key 'provider_options.num_streams'; allowed here: 'allow_cpu_nodes', 'cache', 'config', 'device', 'precision', 'streams', 'threads'")]
    [InlineData("""{"provider_options": {"device": "TPU"}}""", "'provider_options.device' is \"TPU\"; expected \"CPU\", \"GPU\", \"GPU.n\", \"NPU\" or \"AUTO:\" and a list of those")]
    [InlineData("""{"provider_options": {"device": "AUTO"}}""", "'provider_options.device' is \"AUTO\"")]
    [InlineData("""{"provider_options": {"device": "GPU.x"}}""", "'provider_options.device' is \"GPU.x\"")]
    [InlineData("""{"provider_options": {"streams": 1025}}""", "'provider_options.streams' is 1025; expected an integer from 0 to 1024")]
    [InlineData("""{"provider_options": {"threads": -1}}""", "'provider_options.threads' is -1; expected an integer from 0 to 1024")]
    [InlineData("""{"provider_options": {"precision": "fp32"}}""", "'provider_options.precision' is \"fp32\"; expected one of \"bf16\", \"f16\", \"f32\"")]
    [InlineData("""{"provider_options": {"cache": "yes"}}""", "'provider_options.cache' is \"yes\"; expected true or false")]
    [InlineData("""{"provider_options": {"allow_cpu_nodes": 1}}""", "'provider_options.allow_cpu_nodes' is 1; expected true or false")]
    [InlineData("""{"provider_options": {"config": "CPU"}}""", "'provider_options.config' is \"CPU\"; expected an object of objects by device")]
    [InlineData("""{"provider_options": {"config": {"TPU": {}}}}""", "'provider_options.config.TPU' is an object; expected an object of objects by device")]
    [InlineData("""{"provider_options": {"config": {"CPU": {"X": []}}}}""", "'provider_options.config.CPU.X' is an array; expected a string, a number, true or false")]
    [InlineData("""{"provider_options": {"config": {"CPU": {"CACHE_DIR": "/etc"}}}}""", "'provider_options.config.CPU.CACHE_DIR' is not allowed; expected \"cache\": true")]
    public void Read_WrongFile_SaysWhereAndWhatWasExpected(string text, string expected)
    {
        var errors = new JsonErrors();

        Assert.Null(ModelSettingsReader.Read(Encoding.UTF8.GetBytes(text), errors));
        Assert.Contains(expected, errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ProviderOptions_TakesEachOfThem()
    {
        var options = Read("""
            {"provider_options": {
              "device": "AUTO:GPU.1,CPU", "streams": 2, "threads": 4, "precision": "bf16", "cache": true, "allow_cpu_nodes": true,
              "config": {"CPU": {"PERFORMANCE_HINT": "LATENCY", "NUM": 2, "YES": true}}
            }}
            """).Settings.ProviderOptions;

        var expected = new ProviderSettings
        {
            Device = "AUTO:GPU.1,CPU",
            Streams = 2,
            Threads = 4,
            Precision = ExecutionPrecision.Bf16,
            Cache = true,
            AllowCpuNodes = true,
            Config = """{"CPU":{"PERFORMANCE_HINT":"LATENCY","NUM":2,"YES":true}}""",
        };
        Assert.Equal(expected, options);
        Assert.Equal("AUTO", options.DeviceKind);
    }

    [Fact]
    public void Read_InvalidUtf8_IsAnError()
    {
        var errors = new JsonErrors();

        Assert.Null(ModelSettingsReader.Read([0x7b, 0xff, 0x7d], errors));
        Assert.Contains("UTF-8", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SeveralErrors_ListsThemAllWithTheirLines()
    {
        var errors = new JsonErrors();

        ModelSettingsReader.Read("{\n\"concurrency\": 0.5,\n\"x\": {},\n\"batch_size\": [\n]\n}"u8, errors);

        var lines = errors.ToString().Split("; line ").Select(error => error.Replace("line ", "", StringComparison.Ordinal)[..1]);
        Assert.Equal(["2", "3", "4"], lines);
    }

    [Fact]
    public void Read_NestedTooDeeply_IsAnErrorNotACrash()
    {
        var errors = new JsonErrors();

        Assert.Null(ModelSettingsReader.Read(Encoding.UTF8.GetBytes(new string('[', 100_000)), errors));
        Assert.True(errors.Any);
    }

    [Fact]
    public void Revision_OrderOfKeys_DoesNotMatter() =>
        Assert.Equal(
            Read("""{"concurrency": 2, "input_shapes": {"a": [1], "b": [2]}}""").Revision,
            Read("""{"input_shapes": {"b": [2], "a": [1]}, "concurrency": 2}""").Revision);

    [Fact]
    public void Revision_AnySettingChanged_IsAnother()
    {
        var changed = new Dictionary<string, ModelSettings>
        {
            [nameof(ModelSettings.ExecutionProvider)] = new() { ExecutionProvider = ExecutionProvider.Auto },
            [nameof(ModelSettings.Concurrency)] = new() { Concurrency = 1 },
            [nameof(ModelSettings.QueueLimit)] = new() { QueueLimit = 0 },
            [nameof(ModelSettings.AdaptiveConcurrency)] = new() { AdaptiveConcurrency = true },
            [nameof(ModelSettings.QueueBytes)] = new() { QueueBytes = 1 << 20 },
            [nameof(ModelSettings.IntraOpThreads)] = new() { IntraOpThreads = 1 },
            [nameof(ModelSettings.MaxRunBytes)] = new() { MaxRunBytes = 1 << 20 },
            [nameof(ModelSettings.GraphOptimization)] = new() { GraphOptimization = GraphOptimization.Basic },
            [nameof(ModelSettings.PerformanceHint)] = new() { PerformanceHint = PerformanceHint.Latency },
            [nameof(ModelSettings.ResponseCacheBytes)] = new() { ResponseCacheBytes = 1 << 20 },
            [nameof(ModelSettings.WarmUp)] = new() { WarmUp = false },
            [nameof(ModelSettings.Batching)] = new() { Batching = new BatchingSettings { MaxSize = 2 } },
            [nameof(ModelSettings.PriorityLevels)] = new() { PriorityLevels = 2 },
            [nameof(ModelSettings.DefaultPriority)] = new() { PriorityLevels = 2, DefaultPriority = 1 },
            [nameof(ModelSettings.QueueDelay)] = new() { QueueDelay = TimeSpan.Zero },
            [nameof(ModelSettings.BatchSize)] = new() { BatchSize = DimensionRange.Exactly(1) },
            [nameof(ModelSettings.InputShapes)] = new()
            {
                InputShapes = ImmutableSortedDictionary<string, ImmutableArray<DimensionRange>>.Empty.Add("x", [DimensionRange.Exactly(1)]),
            },
            [nameof(ModelSettings.Labels)] = new() { Labels = ImmutableSortedDictionary<string, string>.Empty.Add("x", "y") },
            [nameof(ModelSettings.MinCopies)] = new() { MinCopies = 2 },
            [nameof(ModelSettings.MaxCopies)] = new() { MaxCopies = 2 },
            [nameof(ModelSettings.RequiredLabels)] = new() { RequiredLabels = ["x"] },
            [nameof(ModelSettings.PreferredLabels)] = new() { PreferredLabels = ["x"] },
            [nameof(ModelSettings.MaxBatchSize)] = new() { MaxBatchSize = 1 },
            [nameof(ModelSettings.ProviderOptions)] = new() { ProviderOptions = new ProviderSettings { Cache = true } },
            [nameof(ModelSettings.Format)] = new() { Format = ModelSettings.Default.Format.Add("x", ImageFormat.Nchw) },
        };

        // A new property needs a line here and one in SettingsRevision.
        var properties = typeof(ModelSettings).GetProperties().Where(property => property.CanWrite).Select(property => property.Name);
        Assert.Equal(properties.Order(), changed.Keys.Order());

        var revisions = changed.Values.Select(settings => SettingsRevision.Of(VersionPolicy.LatestOne, settings))
            .Append(ModelDefinition.Default.Revision)
            .Append(SettingsRevision.Of(VersionPolicy.All, ModelSettings.Default))
            .Append(SettingsRevision.Of(VersionPolicy.Latest(2), ModelSettings.Default))
            .Append(SettingsRevision.Of(VersionPolicy.Specific([2]), ModelSettings.Default))
            .ToList();
        Assert.Equal(revisions.Count, revisions.Distinct().Count());

        // How many replicas there are is no matter of any one of them.
        var ofCopies = changed.ToLookup(pair => SettingsRevision.OfCopy(pair.Value), static pair => pair.Key);
        Assert.Equal([nameof(ModelSettings.MaxCopies), nameof(ModelSettings.MinCopies)], ofCopies[ModelDefinition.Default.CopyRevision].Order());
        Assert.Equal(changed.Count - 2, ofCopies.Count - 1);
    }

    private static ModelDefinition Read(string text)
    {
        var errors = new JsonErrors();
        var definition = ModelSettingsReader.Read(Encoding.UTF8.GetBytes(text), errors);
        Assert.Equal("", errors.ToString());
        return definition!;
    }
}
