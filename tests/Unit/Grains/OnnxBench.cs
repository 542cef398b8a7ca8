using System.Runtime.InteropServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Rest.Json;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Registry;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Trust;
using Cluster.Tests.Common;
using Cluster.Unit.Hosting;
using Cluster.Unit.Metrics;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Opens the tests' models and runs requests on them, on the calling thread, as an inference thread does.</summary>
public sealed class OnnxBench : IDisposable
{
    private readonly MetricsHost _metricsHost = new();
    private readonly LogSink _log = new();
    private readonly LoggerFactory _loggers;
    private readonly SessionFactory _sessions;
    private readonly List<LoadedModel> _opened = [];
    private readonly SessionRunner _runner = new(TimeProvider.System);
    private readonly ReplicaMetrics _metrics;

    public OnnxBench()
    {
        _loggers = new LoggerFactory([_log]);
        _sessions = NewSessions(NewReader(path => Opens(path)));
        _metrics = new ReplicaMetricsFactory(_metricsHost.Registry).Create("bench", 1, 1, 1);
    }

    public IReadOnlyList<FakeLogRecord> Logged => _log.Entries;

    internal ReplicaMetrics Metrics => _metrics;

    /// <summary>Opens one of the tests' models for as long as the bench lives.</summary>
    internal Task<LoadedModel> OpenAsync(string model, long version = 1, ModelSettings? settings = null) =>
        OpenFileAsync(model, Path.Combine(TestPaths.TestModels, model, $"{version}", "model.onnx"), version, settings);

    /// <summary>Called with each file that a load opens, before it does.</summary>
    internal Func<string, SafeFileHandle> Opens { get; set; } = CheckedFile.Open;

    internal static ReplicaSpec Spec(string path, long version = 1, ModelSettings? settings = null) =>
        new(new ModelVersionSource(version, path, "r1"), settings ?? ModelSettings.Default, VersionPolicy.LatestOne);

    /// <param name="graphs">Null keeps no optimized graphs.</param>
    internal SessionFactory NewSessions(VersionReader reader, OptimizedGraphs? graphs = null) => new(
        new OnnxEnvironment(new MemoryOptions(), TimeProvider.System, NullLogger<OnnxEnvironment>.Instance),
        new CompiledGraphs(new OpenVinoOptions(), new InMemoryRegistrations(), new InMemoryServingStates(), TimeProvider.System, NullLogger<CompiledGraphs>.Instance),
        reader,
        TimeProvider.System,
        _loggers.CreateLogger<SessionFactory>(),
        samples: new JsonSampleReader(),
        graphs: graphs);

    internal OptimizedGraphs NewGraphs(GraphCacheOptions options, TimeProvider time) => new(options, time, _loggers.CreateLogger<OptimizedGraphs>());

    /// <summary>Reads any content that the default limits allow.</summary>
    internal static VersionReader NewReader(OpenModelFile open) =>
        new(new ModelTrustOptions(), new AnyContent(), open, TimeProvider.System, NullLogger<VersionReader>.Instance);

    internal async Task<LoadedModel> OpenFileAsync(
        string name, string path, long version = 1, ModelSettings? settings = null, CancellationToken cancellationToken = default)
    {
        var model = await _sessions.OpenAsync(name, Spec(path, version, settings), cancellationToken);
        lock (_opened)
        {
            _opened.Add(model);
        }

        return model;
    }

    internal Task<bool> AddSoloAsync(LoadedModel model, string name, ModelSettings settings) => _sessions.AddSoloAsync(
        model, Spec(Path.Combine(TestPaths.TestModels, name, "1", "model.onnx"), settings: settings), waits: true, static () => true, static () => { }, CancellationToken.None);

    internal async Task<Failure> FailToOpenAsync(string model, ModelSettings? settings = null) =>
        (await Assert.ThrowsAsync<ServingException>(() => OpenAsync(model, settings: settings))).Failure;

    /// <summary>Runs a request and gives the answer's bytes.</summary>
    /// <param name="padding">Moves the message's start, 0 to 7 bytes.</param>
    internal byte[] RunBytes(LoadedModel model, byte[] bytes, int padding = 0)
    {
        using var message = PayloadBuffer.Rent(bytes.Length, padding);
        bytes.CopyTo(message.Span);
        using var answer = _runner.Run(model, model.Session, message, _metrics, out _, CancellationToken.None);
        return answer.Span.ToArray();
    }

    internal ModelInferResponse Run(LoadedModel model, ModelInferRequest request) =>
        ModelInferResponse.Parser.ParseFrom(RunBytes(model, request.ToByteArray()));

    internal Failure Refuse(LoadedModel model, ModelInferRequest request) => Refuse(model, request.ToByteArray());

    internal Failure Refuse(LoadedModel model, byte[] request) => Assert.Throws<ServingException>(() => RunBytes(model, request)).Failure;

    /// <summary>The message of an INVALID_ARGUMENT.</summary>
    internal string Reject(LoadedModel model, ModelInferRequest request) => Reject(model, request.ToByteArray());

    internal string Reject(LoadedModel model, byte[] request)
    {
        var failure = Refuse(model, request);
        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        return failure.Message;
    }

    /// <summary>A request with raw contents.</summary>
    internal static ModelInferRequest Raw(params (string Name, string Datatype, long[] Shape, byte[] Bytes)[] inputs) => new()
    {
        Inputs = { inputs.Select(input => Tensor(input.Name, input.Datatype, input.Shape, null)) },
        RawInputContents = { inputs.Select(input => ByteString.CopyFrom(input.Bytes)) },
    };

    /// <summary>A request with typed contents.</summary>
    internal static ModelInferRequest Typed(params (string Name, string Datatype, long[] Shape, InferTensorContents? Contents)[] inputs) => new()
    {
        Inputs = { inputs.Select(input => Tensor(input.Name, input.Datatype, input.Shape, input.Contents)) },
    };

    internal static ModelInferRequest.Types.InferInputTensor Tensor(string name, string datatype, long[] shape, InferTensorContents? contents) =>
        new() { Name = name, Datatype = datatype, Shape = { shape }, Contents = contents };

    internal static ModelInferRequest.Types.InferRequestedOutputTensor Output(string name, long classes = 0)
    {
        var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = name };
        if (classes > 0)
        {
            output.Parameters["classification"] = new InferParameter { Int64Param = classes };
        }

        return output;
    }

    internal static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    internal static T[] Values<T>(ByteString raw)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(raw.ToByteArray()).ToArray();

    /// <summary>BYTES elements in their wire form.</summary>
    internal static byte[] Elements(params byte[][] elements) =>
        [.. elements.SelectMany(element => BitConverter.GetBytes(element.Length).Concat(element))];

    internal static List<string> Texts(ByteString raw)
    {
        var texts = new List<string>();
        for (var bytes = raw.Span; !bytes.IsEmpty;)
        {
            var length = BitConverter.ToInt32(bytes);
            texts.Add(System.Text.Encoding.UTF8.GetString(bytes.Slice(sizeof(int), length)));
            bytes = bytes[(sizeof(int) + length)..];
        }

        return texts;
    }

    public void Dispose()
    {
        foreach (var model in _opened)
        {
            model.Dispose();
        }

        _runner.Dispose();
        _metrics.Dispose();
        _sessions.Dispose();
        _loggers.Dispose();
        _metricsHost.Dispose();
        _log.Dispose();
    }
}
