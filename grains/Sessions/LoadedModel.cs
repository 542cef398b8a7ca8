using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Cluster.Contracts.Models;
using Cluster.Contracts.Wire;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions.Batching;
using Cluster.Grains.Workers;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>A session and what is known of its model. Safe for concurrent runs; disposed after the last one.</summary>
internal sealed class LoadedModel : IQueuedModel, IDisposable
{
    /// <summary>Shorter runs gain nothing from more threads: to wake them takes as long.</summary>
    private const long LongRunNanoseconds = 1_000_000;

    /// <summary>Long runs alone after which a session for them is worth its memory.</summary>
    private const int RunsBeforeSolo = 8;

    /// <summary>In ONNX Runtime's text of a failed run the node is named before this.</summary>
    private const string ValuesFollow = "Status Message:";

    /// <summary>Reads what the queue needs of a request, on the thread that it came on.</summary>
    [ThreadStatic]
    private static InferRequestMessage? _reader;

    private readonly ModelVersionSource _source;
    private readonly ModelSettings _settings;
    private readonly Dictionary<string, string[]> _labels;
    private readonly NativeHeap _heap;
    private readonly CauseLimiter _failedRuns;
    private readonly SessionRunners _runners;
    private readonly ILogger _logger;
    private readonly Lock _soloLock = new();
    private InferenceSession? _solo;
    private readonly BatchPlan? _batches;
    private bool _disposed;
    private int _runsAlone;
    private int _rowsAreWrong;
    private int _shapesAreWrong;

    public LoadedModel(
        string name,
        ModelVersionSource source,
        InferenceSession session,
        ModelSignature signature,
        Dictionary<string, string[]> labels,
        SessionPlan plan,
        ModelSettings settings,
        long loadedBytes,
        TimeProvider time,
        NativeHeap heap,
        CauseLimiter failedRuns,
        SessionRunners runners,
        ILogger logger)
    {
        Name = name;
        _source = source;
        Session = session;
        Signature = signature;
        _labels = labels;
        Plan = plan;
        LoadedBytes = loadedBytes;
        _settings = settings;
        _batches = settings.Batching.IsOn ? new BatchPlan(settings.Batching, signature) : null;
        RunMemory = new RunMemory(time);
        _heap = heap;
        _failedRuns = failedRuns;
        _runners = runners;
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

    /// <summary>The key of its optimized graph, if that should be kept for the next load.</summary>
    public string? GraphToKeep { get; init; }

    /// <summary>
    /// The bytes that ONNX Runtime's allocator held for the session after its load, weights and those rearranged for kernels included. OpenVINO's share of the C
    /// library's heap is added.
    /// </summary>
    public long LoadedBytes { get; }

    /// <summary>What the session for requests that are alone holds; 0 without it.</summary>
    public long SoloBytes { get; private set; }

    /// <summary>How long the shortest run took before the model served; null where there was none.</summary>
    public TimeSpan? WarmRun { get; set; }

    /// <summary>Whether requests that are alone will gain from a session with all cores, as far as can be told before the first of them.</summary>
    public bool GainsFromSolo => Plan.ThreadsAlone > 0 && WarmRun?.TotalNanoseconds >= LongRunNanoseconds;

    /// <summary>Called once, when requests have been alone often enough that a session with all cores would serve them better.</summary>
    public Action? SoloWanted { get; set; }

    /// <summary>The most that one run may take.</summary>
    public long MaxRunBytes => _settings.MaxRunBytes;

    /// <summary>What no run can have here, however little else is in memory.</summary>
    public long RunLimit => Math.Min(MaxRunBytes, OnnxAllocator.Pool.Limit);

    /// <summary>Whether its sessions run before they serve.</summary>
    public bool WarmsUp => _settings.WarmUp;

    /// <inheritdoc/>
    public BatchingSettings Batching => _rowsAreWrong == 0 ? _settings.Batching : BatchingSettings.None;

    /// <inheritdoc/>
    public int Levels => Math.Max(1, _settings.PriorityLevels);

    public RunMemory RunMemory { get; }

    /// <summary>Whether outputs had the shapes that the graph declares, as far as they were seen.</summary>
    public bool ShapesAreTruthful => _shapesAreWrong == 0;

    /// <inheritdoc/>
    public PayloadBuffer Run(PayloadBuffer message, bool alone, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken)
    {
        var runner = _runners.Rent();
        try
        {
            var solo = alone ? Volatile.Read(ref _solo) : null;
            var answer = runner.Run(this, solo ?? Session, message, metrics, out times, cancellationToken);
            if (alone && solo is null && Plan.ThreadsAlone > 0 && times.Infer >= LongRunNanoseconds && Interlocked.Increment(ref _runsAlone) == RunsBeforeSolo)
            {
                SoloWanted?.Invoke();
            }

            return answer;
        }
        finally
        {
            _runners.Return(runner);
        }
    }

    /// <inheritdoc/>
    public void RunBatch(IReadOnlyList<BatchItem> items, bool alone, ReplicaMetrics metrics, Action<BatchRun> executed)
    {
        var runner = _runners.Rent();
        try
        {
            RunBatch(runner, items, alone, metrics, executed);
        }
        finally
        {
            _runners.Return(runner);
        }
    }

    /// <summary>As above, by a given runner.</summary>
    public void RunBatch(SessionRunner runner, IReadOnlyList<BatchItem> items, bool alone, ReplicaMetrics metrics, Action<BatchRun> executed)
    {
        if (_batches is not null && _rowsAreWrong == 0)
        {
            var solo = alone ? Volatile.Read(ref _solo) : null;
            runner.Batches.Run(this, solo ?? Session, _batches, items, metrics, executed);
        }
    }

    /// <inheritdoc/>
    public void EndRuns(TimeSpan longerThan, PayloadBuffer? of) => _runners.EndRuns(this, longerThan, of);

    /// <inheritdoc/>
    public RequestFacts Read(PayloadBuffer message)
    {
        var bytes = message.Span;
        var request = _reader ??= new InferRequestMessage();
        try
        {
            request.Parse(bytes);
        }
        catch (ServingException)
        {
            return new RequestFacts(1, LevelOf(0));
        }

        var rows = Batching.IsOn ? RequestRows.Of(bytes, request, Signature) : 1;
        return new RequestFacts(rows, LevelOf(ParameterRules.PriorityOf(bytes, request.Parameters)));
    }

    /// <exception cref="ServingException">UNIMPLEMENTED: the model has no priorities. INVALID_ARGUMENT: not this one.</exception>
    public void CheckPriority(ReadOnlySpan<byte> message, InferRequestMessage request)
    {
        if (request.Parameters.Count == 0 || ParameterRules.PriorityOf(message, request.Parameters) is not (> 0 and var priority))
        {
            return;
        }

        if (_settings.PriorityLevels == 0)
        {
            throw new ServingException(new Failure(
                StatusCode.Unimplemented,
                $"request parameter 'priority' is {priority}, but model '{Name}' has no priorities: its requests run in the order in which they come. Leave it out or send 0"));
        }

        if (priority > _settings.PriorityLevels)
        {
            throw ServingException.InvalidArgument(
                $"request parameter 'priority' is {priority}, but model '{Name}' has priorities from 1, the first to run, to {_settings.PriorityLevels}");
        }
    }

    /// <summary>From now on every request runs by itself.</summary>
    public void DistrustBatches(string reason)
    {
        if (Interlocked.Exchange(ref _rowsAreWrong, 1) == 0)
        {
            Log.BatchesAreWrong(_logger, Name, Version, reason);
        }
    }

    /// <summary>From now on requests that are alone run in <paramref name="session"/>, which is this model's to dispose.</summary>
    /// <returns>False where the model has ended meanwhile.</returns>
    public bool TryAddSolo(InferenceSession session, long bytes)
    {
        lock (_soloLock)
        {
            if (_disposed)
            {
                session.Dispose();
                return false;
            }

            SoloBytes = bytes;
            Volatile.Write(ref _solo, session);
            return true;
        }
    }

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
        Batching = settings.Batching,
        CachesResponses = settings.ResponseCacheBytes > 0,
        Formats = Formats(settings),
        Unserved = Signature.Unserved,
        Device = Plan.Device,
        ProviderReason = Plan.Reason,
    };

    private int LevelOf(long priority) => (int)Math.Clamp(priority == 0 ? _settings.DefaultPriority : priority, 1, Levels) - 1;

    private ImmutableSortedDictionary<string, ImageFormat> Formats(ModelSettings settings) => Signature.Inputs
        .Select(input => (input.Name, Format: settings.Format.GetValueOrDefault(input.Name, settings.Format.GetValueOrDefault(""))))
        .Where(static input => input.Format != ImageFormat.None)
        .ToImmutableSortedDictionary(static input => input.Name, static input => input.Format, StringComparer.Ordinal);

    public void Dispose()
    {
        lock (_soloLock)
        {
            _disposed = true;
            _solo?.Dispose();
        }

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
