using System.Buffers;
using System.Runtime.ExceptionServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Wire;
using Cluster.Grains.Memory;
using Cluster.Grains.Tensors;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>
/// Runs a new session before it serves: once, and then once in each of its slots at the same time, so that the memory of all of them is there. So no client's request touches its
/// weights first, and has ONNX Runtime lay out its buffers. Longer runs gain too little from that, shorter ones less than the threads for it cost.
/// </summary>
internal sealed class WarmUp(TimeProvider time)
{
    /// <summary>Longer is ended: a model that takes this long gains nothing from it, and its load must not wait.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>A first run that is shorter is the only one.</summary>
    public TimeSpan LeastForSlots { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>A first run that is longer is the only one.</summary>
    public TimeSpan MostForSlots { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <param name="slots">Runs at once, at least 1; no more than there are processors are run.</param>
    /// <param name="ran">Told the most bytes that each run took, by any thread.</param>
    /// <returns>How many runs there were.</returns>
    /// <exception cref="OnnxRuntimeException">The graph does not take the inputs, or a run was ended.</exception>
    public int Run(
        InferenceSession session, WarmUpInputs inputs, string[] outputs, int slots, long maxRunBytes, Action<long> ran, CancellationToken cancellationToken)
    {
        using var options = new RunOptions();
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);

        // Disposed before the options: that waits for a callback which uses them.
        using var giveUp = either.Token.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        var start = time.GetTimestamp();
        RunOnce();
        var others = Math.Min(slots, Environment.ProcessorCount);
        var took = time.GetElapsedTime(start);
        if (others < 2 || took < LeastForSlots || took > MostForSlots)
        {
            return 1;
        }

        var runs = new Task[others];
        for (var i = 0; i < runs.Length; i++)
        {
            runs[i] = Task.Factory.StartNew(RunOnce, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        try
        {
            // All end before the inputs do, also where one fails.
            Task.WaitAll(runs, CancellationToken.None);
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
        }

        return 1 + runs.Length;

        void RunOnce()
        {
            var memory = new MemoryUse();
            memory.Begin(maxRunBytes);
            try
            {
                session.Run(options, inputs.Names, inputs.Values, outputs).Dispose();
            }
            finally
            {
                MemoryUse.End();
            }

            ran(memory.Peak);
        }
    }
}

/// <summary>Warms the sessions of a model up with the sample beside it, or with zeros.</summary>
/// <param name="samples">Reads the samples beside models; null leaves them.</param>
internal sealed class ModelWarmUp(ISampleReader? samples, TimeProvider time, ILogger logger)
{
    private readonly WarmUp _runs = new(time);

    /// <summary>A graph that does not take zeros, or its sample, serves all the same.</summary>
    /// <param name="session">One of the model's.</param>
    /// <param name="slots">Runs at once.</param>
    public void Run(InferenceSession session, LoadedModel model, VersionContent content, int slots, CancellationToken cancellationToken)
    {
        if (!model.WarmsUp)
        {
            return;
        }

        try
        {
            using var inputs = Sample(model, content) ?? WarmUpInputs.Zeros(model.Signature);
            if (inputs is not null)
            {
                _runs.Run(session, inputs, model.Signature.OutputNames, slots, model.MaxRunBytes, model.RunMemory.Note, cancellationToken);
            }
        }
        catch (OnnxRuntimeException exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.NotWarmedUp(logger, model.Name, model.Version, exception.Message.TrimEnd());
        }
    }

    /// <summary>The sample beside the model; null where there is none that fits.</summary>
    private WarmUpInputs? Sample(LoadedModel model, VersionContent content)
    {
        if (content.Sample is not { } sample || samples is null)
        {
            return null;
        }

        try
        {
            return WarmUpInputs.Of(samples.Read(sample, VersionContent.MaxSample), model.Name, model.Signature);
        }
        catch (ServingException exception)
        {
            Log.SampleDoesNotFit(logger, model.Name, model.Version, exception.Failure.Message);
            return null;
        }
    }
}

/// <summary>What a session is warmed up with: a sample, or zeros as the signature has it.</summary>
internal sealed class WarmUpInputs : IDisposable
{
    /// <summary>Sizes that requests choose are the least that they may be; more elements than these are no typical request.</summary>
    private const long MaxElements = 1 << 24;

    private readonly InputBinder? _binder;
    private readonly PayloadBuffer? _sample;
    private MemoryHandle _pinned;

    private WarmUpInputs(List<string> names, List<OrtValue> values)
    {
        Names = names;
        Values = values;
    }

    private WarmUpInputs(InputBinder binder, PayloadBuffer sample, MemoryHandle pinned)
        : this(binder.Names, binder.Values)
    {
        (_binder, _sample, _pinned) = (binder, sample, pinned);
    }

    public List<string> Names { get; }

    public List<OrtValue> Values { get; }

    /// <summary>Null where the graph says too little of an input.</summary>
    public static WarmUpInputs? Zeros(ModelSignature signature)
    {
        var inputs = signature.Inputs.Where(static input => !input.Optional).ToList();
        var shapes = inputs.ConvertAll(ShapeOf);
        return shapes.Contains(null)
            ? null
            : new WarmUpInputs(inputs.ConvertAll(static input => input.Name), [.. inputs.Zip(shapes, static (input, shape) => Zeros(input, shape!))]);
    }

    /// <summary>Takes over <paramref name="sample"/>, a request.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: it does not fit the model.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not take an input.</exception>
    public static WarmUpInputs Of(PayloadBuffer sample, string model, ModelSignature signature)
    {
        var pinned = sample.Memory.Pin();
        var binder = new InputBinder();
        try
        {
            var request = new InferRequestMessage();
            request.Parse(sample.Span);
            binder.Bind(sample.Span, request, model, signature);
            return new WarmUpInputs(binder, sample, pinned);
        }
        catch
        {
            binder.Clear();
            pinned.Dispose();
            sample.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_binder is not null)
        {
            _binder.Clear();
        }
        else
        {
            Values.ForEach(static value => value.Dispose());
        }

        _pinned.Dispose();
        _sample?.Dispose();
    }

    /// <summary>Null where the graph says too little of it.</summary>
    private static long[]? ShapeOf(TensorSlot input)
    {
        if (input.Dimensions is not { } dimensions)
        {
            return null;
        }

        var shape = Array.ConvertAll(dimensions, static dimension => Math.Max(dimension.Range.Min, dimension.IsFixed ? 0 : 1));
        return Tensors.Shapes.TryCount(shape, out var count) && count <= MaxElements ? shape : null;
    }

    private static OrtValue Zeros(TensorSlot input, long[] shape)
    {
        if (input.Datatype == Datatype.Bytes)
        {
            return OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        }

        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, input.ElementType, shape);
        value.GetTensorMutableRawData().Clear();
        return value;
    }
}
