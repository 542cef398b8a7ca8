using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>
/// Every answer that is not inference, byte for byte as recorded in <c>answers.txt</c>: clients depend on names, order, defaults and on what is left
/// out. With <c>RECORD_ANSWERS=1</c> the test writes the file anew; the change is then read in the diff.
/// </summary>
public sealed class WireFormTests : RestServer
{
    /// <summary>Beyond ASCII, beyond 16 bits, and what JSON or HTML escapes.</summary>
    private const string Odd = "é☃😀 \"\\/<&+'> \u0001\t\n\u007f\u2028";

    private static readonly string[] RepositoryBodies =
    [
        "", " \r\n\t", "{}", "[]", "1", "null", "{", "{\"a\":}", "{}x", "{} {}", "NaN", """{"ready":NaN}""", """{"ready":null}""", """{"ready":1}""", """{"ready":"true"}""",
        """{"ready":true,"ready":false}""", """{"READY":true}""", """{"re\u0061dy":true}""", """{"\ud800":1}""", """{"x":"\ud800"}""", """{"parameters":null}""",
        """{"parameters":[]}""", """{"parameters":{"a":null}}""", """{"parameters":{"a":1.5}}""", """{"parameters":{"a":1e2}}""", """{"parameters":{"a":9223372036854775808}}""",
        """{"parameters":{"a":{}}}""", """{"parameters":{"a":[1]}}""", """{"parameters":{"\ud800":1}}""", """{"parameters":{"a":"\ud800"}}""",
        """{"parameters":{"file:a":1}}""", """{"parameters":{"file:a":"!"}}""", """{"parameters":{"file:a":"AQ="}}""", """{"parameters":{"file:a":"\u0041QID"}}""", """{"parameters":{"file:a":"\ud800"}}""",
        """{"parameters":{"a":1,"a":"2","é\u0020":true}}""", """{"parameters":{"a":1},"parameters":{"b":-9223372036854775808}}""", "\"\u00e9", "{/**/}", """{"a":1,}""",
    ];

    private static readonly string[] TrafficBodies =
    [
        "", "{", "[]", "{}", """{"candidate":null}""", """{"candidate":1}""", """{"candidate":"n","nosuch":1}""", """{"candidate":"n","percent":"10"}""", """{"candidate":"n","percent":null}""",
        """{"candidate":"n","percent":1e999}""", """{"candidate":"n","shadow":null}""", """{"candidate":"n","candidate_version":1.5}""", """{"candidate":"n","min_requests":null}""",
        """{"candidate":"n","window_seconds":1e300}""", """{"candidate":"n","sticky_header":[]}""", """{"candidate":{"a":{"b":{"c":{"d":1}}}}}""",
        """{"candidate":"n","candidate_version":2,"active_version":1,"percent":12.5,"shadow":true,"sticky_header":"x-user","sticky_id":true,"absolute_tolerance":0,"relative_tolerance":0.5,"max_error_rate":null,"max_p99_ratio":2,"max_mean_ratio":1.5,"max_drift":0.01,"min_requests":10,"window_seconds":30.5}""",
        """{"candidate":"n","max_p99_ratio":null}""", """{"candidate":"\ud800"}""", """{"\ud800":1}""", """{"candidate":"n","sticky_header":"\udc00"}""",
    ];

    private readonly StringBuilder _answers = new();

    [Fact]
    public async Task Answers_OfEveryEndpoint_AreAsRecorded()
    {
        await RecordServerAsync();
        await RecordMetadataAsync();
        await RecordConfigAsync();
        await RecordStatisticsAsync();
        await RecordIndexAsync();
        await RecordClusterAsync();
        await RecordAliasesAsync();
        await RecordRepositoryAsync();
        await RecordErrorsAsync();

        var path = Path.Combine(TestPaths.Root, "tests", "Unit", "Gateway", "Rest", "answers.txt");
        if (Environment.GetEnvironmentVariable("RECORD_ANSWERS") == "1")
        {
            await File.WriteAllTextAsync(path, _answers.ToString());
        }

        Assert.Equal(await File.ReadAllTextAsync(path), _answers.ToString());
    }

    private async Task RecordServerAsync()
    {
        await GetAsync("/v2");
        await GetAsync("/v2/health/live");
        foreach (var ready in new[] { true, false })
        {
            Host.Api.IsReady = Host.Api.ModelReady = ready;
            await GetAsync("/v2/health/ready");
            await GetAsync("/v2/models/m/ready");
            await GetAsync($"/v2/models/{Uri.EscapeDataString("é☃😀\"<")}/ready");
        }

        Host.Api.Aliases["latest"] = "m-3";
        await GetAsync("/v2/models/latest/versions/7/ready");
    }

    private async Task RecordMetadataAsync()
    {
        await GetAsync("/v2/models/m");
        Host.Api.Metadata = new ModelMetadataResponse { Name = Odd, Versions = { "2", "1" }, Platform = Odd, Properties = { { Odd, Odd }, { "b", "" } } };
        Host.Api.Metadata.Inputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = Odd, Datatype = "FP32", Shape = { -1, long.MaxValue, 0 } });
        Host.Api.Metadata.Inputs.Add(new ModelMetadataResponse.Types.TensorMetadata());
        Host.Api.Metadata.Outputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = "B", Datatype = "BYTES", Shape = { 1 } });
        await GetAsync("/v2/models/m/versions/2");
    }

    private async Task RecordConfigAsync()
    {
        await GetAsync("/v2/models/m/config");
        foreach (var policy in new[]
        {
            new ModelVersionPolicy(),
            new ModelVersionPolicy { Latest = new ModelVersionPolicy.Types.Latest { NumVersions = uint.MaxValue } },
            new ModelVersionPolicy { All = new ModelVersionPolicy.Types.All() },
            new ModelVersionPolicy { Specific = new ModelVersionPolicy.Types.Specific() },
            new ModelVersionPolicy { Specific = new ModelVersionPolicy.Types.Specific { Versions = { long.MaxValue, 1 } } },
        })
        {
            Host.Api.Config = new ModelConfig { Name = Odd, VersionPolicy = policy };
            await GetAsync("/v2/models/m/config");
        }

        var config = new ModelConfig
        {
            Name = "m",
            Platform = "onnxruntime_onnx",
            Backend = "onnxruntime",
            MaxBatchSize = int.MaxValue,
            DefaultModelFilename = "model.onnx",
            DynamicBatching = new ModelDynamicBatching { PreferredBatchSize = { 4, 8 }, MaxQueueDelayMicroseconds = ulong.MaxValue },
            ModelTransactionPolicy = new ModelTransactionPolicy { Decoupled = true },
            ResponseCache = new ModelResponseCache(),
            Parameters = { { Odd, new ModelParameter { StringValue = Odd } }, { "empty", new ModelParameter() } },
        };
        foreach (var datatype in Enum.GetValues<DataType>())
        {
            config.Input.Add(new ModelInput { Name = "A", DataType = datatype, Format = (ModelInput.Types.Format)((int)datatype % 3), Dims = { -1 } });
        }

        config.Input.Add(new ModelInput { DataType = (DataType)99, Format = (ModelInput.Types.Format)(-7), Optional = true, IsShapeTensor = true });
        config.Output.Add(new ModelOutput { Name = "B", DataType = DataType.TypeString, Dims = { 1, long.MinValue }, LabelFilename = Odd });
        config.Output.Add(new ModelOutput { IsShapeTensor = true });
        foreach (var kind in Enum.GetValues<ModelInstanceGroup.Types.Kind>())
        {
            config.InstanceGroup.Add(new ModelInstanceGroup { Name = "g", Count = 2, Kind = kind });
        }

        config.InstanceGroup.Add(new ModelInstanceGroup { Count = -1, Kind = (ModelInstanceGroup.Types.Kind)5 });
        Host.Api.Config = config;
        await GetAsync("/v2/models/m/config");
        Host.Api.Config = new ModelConfig { DynamicBatching = new ModelDynamicBatching(), ModelTransactionPolicy = new(), ResponseCache = new() { Enable = true } };
        await GetAsync("/v2/models/m/versions/1/config");
    }

    private async Task RecordStatisticsAsync()
    {
        await GetAsync("/v2/models/stats");
        Host.Api.Statistics.ModelStats.Add(new ModelStatistics());
        Host.Api.Statistics.ModelStats.Add(new ModelStatistics { Name = Odd, Version = "1", InferenceStats = new InferStatistics() });
        var full = new ModelStatistics { Name = "m", Version = "12", LastInference = ulong.MaxValue, InferenceCount = 9007199254740993, ExecutionCount = 2 };
        full.InferenceStats = new InferStatistics
        {
            Success = Duration(1),
            Fail = Duration(2),
            Queue = Duration(3),
            ComputeInput = Duration(4),
            ComputeInfer = Duration(5),
            ComputeOutput = Duration(6),
            CacheHit = Duration(7),
            CacheMiss = Duration(8),
        };
        full.BatchStats.Add(new InferBatchStatistics { BatchSize = 4, ComputeInput = Duration(1), ComputeInfer = Duration(2), ComputeOutput = Duration(3) });
        full.BatchStats.Add(new InferBatchStatistics());
        full.MemoryUsage.Add(new MemoryUsage { Type = "CPU", Id = -1, ByteSize = ulong.MaxValue });
        full.MemoryUsage.Add(new MemoryUsage());
        full.ResponseStats.Add(Odd, new InferResponseStatistics { ComputeInfer = Duration(1), ComputeOutput = Duration(2), Success = Duration(3), Fail = Duration(4) });
        full.ResponseStats.Add("1", new InferResponseStatistics { EmptyResponse = Duration(5), Cancel = Duration(6) });
        full.ResponseStats.Add("2", new InferResponseStatistics());
        Host.Api.Statistics.ModelStats.Add(full);
        await GetAsync("/v2/models/m/stats");
    }

    private async Task RecordIndexAsync()
    {
        await RecordIndexFormsAsync();
        foreach (var (name, version, state, reason) in new[]
        {
            ("a", "3", "READY", ""), ("a", "2", "LOADING", ""), ("a", "1", "UNLOADING", "why"), (Odd, "", "", ""), ("b", "1", "UNAVAILABLE", "unloaded on request"),
            ("b", "2", "UNAVAILABLE", Odd), ("b", "3", "UNAVAILABLE", ""), ("c", "4", "", ""), ("d", "", "READY", "new content failed"), ("a", "0", "READY", "new content failed"),
        })
        {
            Host.Api.Index.Models.Add(new RepositoryIndexResponse.Types.ModelIndex { Name = name, Version = version, State = state, Reason = reason });
        }

        await RecordIndexFormsAsync();
    }

    private async Task RecordIndexFormsAsync()
    {
        await GetAsync("/v2/models");
        await PostAsync("/v2/repository/index", "");
        await GetAsync("/v1/config");
        await PostAsync("/v1/config/reload", "");
    }

    private async Task RecordClusterAsync()
    {
        Host.Api.Cluster = new ClusterOverview(new ClusterDescription("", 0, []), [], DateTimeOffset.UnixEpoch);
        await GetAsync("/v2/cluster");
        var now = DateTimeOffset.UnixEpoch.AddDays(1);
        var busy = new NodeDescription
        {
            Silo = "10.0.0.1:8002@7",
            Name = Odd,
            Status = "Active",
            Draining = true,
            Capacity = long.MaxValue,
            Used = 60,
            Copies = 1,
            Loading = 2,
            OldestIdle = TimeSpan.FromMilliseconds(1234.5678),
            RequestsPerMinute = 1234567.06,
            Labels = ["gpu", Odd],
        };
        var idle = new NodeDescription { Silo = "[::1]:1@2", Name = "", Status = "Dead", OldestIdle = TimeSpan.Zero };
        var ready = new VersionServingState
        {
            Version = 3,
            State = ModelVersionState.Ready,
            Replicas = [new PlacedReplica(0, SiloAddress.FromParsableString(busy.Silo))],
            Arriving = [new PlacedReplica(3, SiloAddress.FromParsableString(idle.Silo))],
            Since = now.AddMinutes(-90.123456),
            FailedOn = ["b", Odd],
        };
        var others = Enum.GetValues<ModelVersionState>()
            .Select((state, index) => new VersionServingState { Version = long.MaxValue - index, State = state, Reason = Odd });
        Host.Api.Cluster = new ClusterOverview(
            new ClusterDescription(Odd, long.MaxValue, [busy, idle]),
            [new ModelServingState("m", [ready, .. others], null), new ModelServingState(Odd, [], Odd), new ModelServingState("e", [], "")],
            now);
        await GetAsync("/v2/cluster");
    }

    private async Task RecordAliasesAsync()
    {
        await GetAsync("/v2/aliases");
        var limits = new TrafficLimits { ErrorRate = null, P99Ratio = 1.5, MeanRatio = 2, Drift = 0.25, MinRequests = 7, Window = TimeSpan.FromSeconds(1.5) };
        var rule = new TrafficRule { Candidate = Odd, CandidateVersion = long.MaxValue, ActiveVersion = 1, Percent = 0.1, Shadow = true, StickyHeader = "x-user", StickyId = true, Limits = limits };
        var rollback = new TrafficRollback(RollbackCause.Drift, Odd, "gateway", DateTimeOffset.UnixEpoch);
        Host.Api.AliasStates.AddRange(
        [
            new AliasState("plain", "me", "m", "m"),
            new AliasState("moving", null, "m", Odd, Odd),
            new AliasState("new", null, "m", "m", Traffic: new TrafficState(new TrafficRule { Candidate = "n" }, 1)),
            new AliasState("failed", null, "m", "m", Traffic: new TrafficState(new TrafficRule { Candidate = "n" }, 2, Failure: Odd)),
            new AliasState("on", null, "m", "m", Traffic: new TrafficState(rule, long.MaxValue, Loaded: true)),
            new AliasState("over", null, "m", "m", Traffic: new TrafficState(rule, 4, Loaded: true, RolledBack: rollback)),
        ]);
        await GetAsync("/v2/aliases");
        await GetAsync("/v2/aliases/over/traffic");
        await GetAsync("/v2/aliases/nosuch/traffic");
        await PostAsync("/v2/aliases/over/traffic/rollback", "");
        await PostAsync("/v2/aliases/over/traffic/clear", "");
        foreach (var body in TrafficBodies)
        {
            await PostAsync("/v2/aliases/a/traffic/set", body);
        }

        Assert.Equal(("a", false), (Host.Api.LastTraffic!.Value.Alias, Host.Api.LastTraffic.Value.Wait));
        await PostAsync("/v2/aliases/a/traffic/set?wait=true", """{"candidate":"n"}""");
        Assert.True(Host.Api.LastTraffic!.Value.Wait);
        await RecordAsync("POST", "/v2/aliases/a/traffic/set", [.. """{"candidate":"n"""u8, 0xff, .. "\"}"u8]);
        await GetAsync("/v2/aliases/a/traffic/set");
    }

    private async Task RecordRepositoryAsync()
    {
        Host.Api.Index = new RepositoryIndexResponse();
        foreach (var body in RepositoryBodies)
        {
            await PostAsync("/v2/repository/index", body);
            await PostAsync($"/v2/repository/models/{Uri.EscapeDataString("é\"<")}/load", body);
            _answers.Append(Host.Api.LastLoad?.ToString() ?? "no load").Append('\n');
            await PostAsync("/v2/repository/models/m/unload", body);
        }

        await RecordAsync("POST", "/v2/repository/index", [0x7b, 0xff, 0x7d]);
    }

    private async Task RecordErrorsAsync()
    {
        await GetAsync($"/v2/unknown/{Uri.EscapeDataString("é\"<")}");
        await GetAsync("/v2/models/a%2Fb");
        await GetAsync("/v2/models/m/versions/x");
        await GetAsync("/v2/models/m/infer");
        await PostAsync("/v2/models/m", "");
        await GetAsync("/v2/logging");
        await PostAsync("/v2/models/m/generate", "");
        Host.Api.Problems = [Odd, "model 'b': bad"];
        await PostAsync("/v1/config/reload", "");
        foreach (var failure in new[]
        {
            Failure.NotFound($"model '{Odd}' is unknown"), Failure.Internal(""), new Failure(StatusCode.Unavailable, "later", TimeSpan.FromSeconds(2.5)),
            new Failure(StatusCode.ResourceExhausted, "full", TimeSpan.FromSeconds(1)),
        })
        {
            Host.Api.Error = new ServingException(failure);
            await GetAsync("/v2/models/m/stats");
            await PostAsync("/v2/repository/models/m/load", "");
        }

        foreach (var body in new[] { "", "{", "[]", "{}", "NaN", """{"inputs":[]}""", """{"inputs":[{"name":"é","shape":[1],"datatype":"FP32","data":[NaN]}]}""", """{"inputs":1}""" })
        {
            await PostAsync(RestHost.InferPath, body);
        }
    }

    private static StatisticDuration Duration(ulong count) => new() { Count = count, Ns = ulong.MaxValue - count };

    private Task GetAsync(string path) => RecordAsync("GET", path, null);

    private Task PostAsync(string path, string body) => RecordAsync("POST", path, Encoding.UTF8.GetBytes(body));

    private async Task RecordAsync(string verb, string path, byte[]? body)
    {
        var answer = await Host.SendAsync(new HttpRequestMessage(new HttpMethod(verb), path) { Content = body is null ? null : new ByteArrayContent(body) });
        _answers.Append($"{verb} {path} {(body is null ? "" : Encoding.Latin1.GetString(body).ReplaceLineEndings("~"))}".TrimEnd()).Append('\n');
        string?[] head = [$"{answer.Status}", answer.Header("Content-Type"), answer.Header("Content-Length"), answer.Header("Retry-After"), answer.Header("Allow")];
        _answers.AppendJoin(' ', head.Where(field => field is not null)).Append('\n');
        _answers.Append(answer.Text).Append('\n');
    }
}
