using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Logging;
using Cluster.Contracts.Models;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Workers;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>A session and what is known of its model. Safe for concurrent runs; disposed after the last one.</summary>
internal sealed class LoadedModel : IQueuedModel, IDisposable
{
    /// <summary>In ONNX Runtime's text of a failed run the node is named before this.</summary>
    private const string ValuesFollow = "Status Message:";

    private readonly ModelVersionSource _source;
    private readonly Dictionary<string, string[]> _labels;
    private readonly NativeHeap _heap;
    private readonly CauseLimiter _failedRuns;
    private readonly ILogger _logger;
    private int _shapesAreWrong;

    public LoadedModel(
        string name,
        ModelVersionSource source,
        InferenceSession session,
        ModelSignature signature,
        Dictionary<string, string[]> labels,
        SessionPlan plan,
        long loadedBytes,
        long maxRunBytes,
        TimeProvider time,
        NativeHeap heap,
        CauseLimiter failedRuns,
        ILogger logger)
    {
        Name = name;
        _source = source;
        Session = session;
        Signature = signature;
        _labels = labels;
        Plan = plan;
        LoadedBytes = loadedBytes;
        MaxRunBytes = maxRunBytes;
        RunMemory = new RunMemory(time);
        _heap = heap;
        _failedRuns = failedRuns;
        _logger = logger;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        Utf8Version = Encoding.UTF8.GetBytes(source.Version.ToString(CultureInfo.InvariantCulture));
    }

    public string Name { get; }

    public long Version => _source.Version;

    public byte[] Utf8Name { get; }

    public byte[] Utf8Version { get; }

    public InferenceSession Session { get; }

    public ModelSignature Signature { get; }

    public SessionPlan Plan { get; }

    public ExecutionProvider Provider => Plan.Provider;

    /// <summary>Requests at once, at least 1.</summary>
    public int Concurrency => Plan.Concurrency;

    /// <summary>Threads of each, at least 1.</summary>
    public int IntraOpThreads => Plan.Threads;

    /// <summary>Called once the session has ended.</summary>
    public Action? Ended { get; init; }

    /// <summary>
    /// What ONNX Runtime's allocator held for the session after its load, weights and those rearranged for kernels included; and what OpenVINO took of the C
    /// library's heap.
    /// </summary>
    public long LoadedBytes { get; }

    /// <summary>The most that one run may take.</summary>
    public long MaxRunBytes { get; }

    public RunMemory RunMemory { get; }

    /// <summary>Whether outputs had the shapes that the graph declares, as far as they were seen.</summary>
    public bool ShapesAreTruthful => _shapesAreWrong == 0;

    /// <inheritdoc/>
    public PayloadBuffer Run(
        SessionRunner runner, PayloadBuffer message, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken) =>
        runner.Run(this, message, metrics, out times, cancellationToken);

    /// <summary>Labels of an output's classes; empty if there are none.</summary>
    public string[] Labels(string output) => _labels.GetValueOrDefault(output, []);

    /// <summary>From now on outputs are not computed in place.</summary>
    public void DistrustShapes(string reason)
    {
        if (Interlocked.Exchange(ref _shapesAreWrong, 1) == 0)
        {
            Log.DeclaredShapeIsWrong(_logger, Name, Version, reason);
        }
    }

    /// <summary>Logs each node that fails once a minute: what a client sends decides how often it does, and with what values.</summary>
    public void ReportRunFailure(string reason)
    {
        var node = reason.AsSpan(0, reason.IndexOf(ValuesFollow, StringComparison.Ordinal) is >= 0 and var end ? end : 0);
        if (_failedRuns.TryPass(string.Create(CultureInfo.InvariantCulture, $"{Name}/{Version} {node}"), out var heldBack))
        {
            Log.RunFailed(_logger, Name, Version, heldBack, reason.TrimEnd());
        }
    }

    public ModelDescription Describe(VersionPolicy policy, ModelSettings settings, int queueLimit) => new()
    {
        Name = Name,
        Version = Version,
        Inputs = [.. Signature.Inputs.Select(input => input.ToSpec())],
        Outputs = [.. Signature.Outputs.Select(output => output.ToSpec())],
        ExecutionProvider = Provider,
        Concurrency = Concurrency,
        IntraOpThreads = IntraOpThreads,
        QueueLimit = queueLimit,
        VersionPolicy = policy,
        FileName = Path.GetFileName(_source.Path),
        Labels = settings.Labels,
        Properties = Properties(),
        MaxBatchSize = settings.MaxBatchSize,
        Formats = Formats(settings),
        Unserved = Signature.Unserved,
        Device = Plan.Device,
        ProviderReason = Plan.Reason,
    };

    private ImmutableSortedDictionary<string, ImageFormat> Formats(ModelSettings settings) => Signature.Inputs
        .Select(input => (input.Name, Format: settings.Format.GetValueOrDefault(input.Name, settings.Format.GetValueOrDefault(""))))
        .Where(static input => input.Format != ImageFormat.None)
        .ToImmutableSortedDictionary(static input => input.Name, static input => input.Format, StringComparer.Ordinal);

    public void Dispose()
    {
        Session.Dispose();
        _heap.Freed();
        Ended?.Invoke();
    }

    private ImmutableSortedDictionary<string, string> Properties()
    {
        var metadata = Session.ModelMetadata;
        var properties = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in metadata.CustomMetadataMap)
        {
            properties[key] = value;
        }

        foreach (var (key, value) in new[] { ("producer", metadata.ProducerName), ("graph", metadata.GraphName), ("description", metadata.Description) })
        {
            if (value.Length > 0)
            {
                properties[key] = value;
            }
        }

        return properties.ToImmutable();
    }
}
