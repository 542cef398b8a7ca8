using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions.Batching;
using Cluster.Grains.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>
/// Runs one request after the other, whichever model they are for, reusing everything that a run needs.
/// </summary>
/// <remarks>
/// Outputs whose shapes follow from the inputs are computed right into the response; the others are allocated by ONNX Runtime and copied
/// there once.
/// </remarks>
internal sealed class SessionRunner : IDisposable
{
    /// <summary>When a run that found no room is worth another try: others have ended by then.</summary>
    private static readonly TimeSpan NextTry = TimeSpan.FromSeconds(1);

    private readonly InferRequestMessage _request = new();
    private readonly InputBinder _inputs = new();
    private readonly OutputPlan _plan = new();
    private readonly InferResponseBuilder _response = new();
    private readonly List<OrtValue> _outputs = [];
    private readonly NativeScratch _scratch = new();
    private readonly List<(Slice Place, nint Source)> _pendingCopies = [];
    private readonly RunHandle _run;
    private readonly MemoryUse _memory = new();
    private readonly TimeProvider _time;
    private BatchRunner? _batches;
    private InferenceSession _session = null!;
    private PayloadBuffer? _message;

    public SessionRunner(TimeProvider time)
    {
        _time = time;
        _run = new RunHandle(time);
    }

    /// <summary>Runs <paramref name="message"/>; the caller keeps it and owns the answer.</summary>
    /// <param name="session">One of the model's.</param>
    /// <exception cref="ServingException">The request is wrong, the model failed, or the caller gave up.</exception>
    public unsafe PayloadBuffer Run(
        LoadedModel model, InferenceSession session, PayloadBuffer message, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        var bytes = message.Span;
        _session = session;
        _message = message;
        _memory.Clear();
        fixed (byte* pinned = bytes)
        {
            try
            {
                Bind(model, bytes);
                var bound = _time.GetTimestamp();
                var answer = Compute(model, _request.Id.Of(bytes), metrics, bound, out var computed, cancellationToken);
                times = new RunTimes(Nanoseconds(start, bound), Nanoseconds(bound, computed), Nanoseconds(computed, _time.GetTimestamp()), _inputs.Rows);
                return answer;
            }
            finally
            {
                _message = null;
                ClearOutputs();
                _inputs.Clear();
                model.RunMemory.Note(_memory.Peak);
            }
        }
    }

    /// <summary>Runs several requests at once.</summary>
    public BatchRunner Batches => _batches ??= new BatchRunner(_time);

    /// <summary>Has what it runs of a model end, if that has taken so long. Called by any thread.</summary>
    /// <param name="of">Only the run of this request by itself; null for any.</param>
    public void EndRun(LoadedModel model, TimeSpan longerThan, PayloadBuffer? of)
    {
        _run.TryEnd(model, longerThan, of);
        _batches?.EndRun(model, longerThan, of);
    }

    public void Dispose()
    {
        _run.Dispose();
        _batches?.Dispose();
    }

    private void Bind(LoadedModel model, ReadOnlySpan<byte> bytes)
    {
        _request.Parse(bytes);
        model.CheckPriority(bytes, _request);
        _plan.Read(bytes, _request, model.Name, model.Signature);
        try
        {
            _inputs.Bind(bytes, _request, model.Name, model.Signature);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new ServingException(Failure.InvalidArgument($"an input for model '{model.Name}' cannot be used: {OnnxErrors.Describe(exception)}"), exception);
        }
    }

    private PayloadBuffer Compute(
        LoadedModel model, ReadOnlySpan<byte> id, ReplicaMetrics metrics, long start, out long computed, CancellationToken cancellationToken)
    {
        metrics.RunStarted(_inputs.Rows);
        try
        {
            var answer = Compute(model, id, out computed, cancellationToken);
            metrics.RunEnded(_time.GetElapsedTime(start, computed));
            return answer;
        }
        catch
        {
            metrics.RunFailed();
            throw;
        }
    }

    private PayloadBuffer Compute(LoadedModel model, ReadOnlySpan<byte> id, out long computed, CancellationToken cancellationToken)
    {
        string? doubt = null;
        if (model.ShapesAreTruthful && TryPredict(model))
        {
            try
            {
                return RunIntoResponse(model, id, out computed, cancellationToken);
            }
            catch (OnnxRuntimeException exception) when (SpeaksOfShapes(exception) && _memory.Refused == 0 && _run.EndedAfter is null && !cancellationToken.IsCancellationRequested)
            {
                ClearOutputs();
                doubt = exception.Message;
            }
            catch (OnnxRuntimeException exception)
            {
                throw Failed(model, exception, cancellationToken);
            }
        }

        try
        {
            using var outputs = RunSession(model, cancellationToken);
            computed = _time.GetTimestamp();
            if (doubt is not null)
            {
                model.DistrustShapes(doubt);
            }

            return OutputWriter.Write(model, _plan, outputs, _response, id);
        }
        catch (OnnxRuntimeException exception)
        {
            throw Failed(model, exception, cancellationToken);
        }
    }

    /// <summary>
    /// Whether a failed run may be due to an output of ours whose shape is not the one computed. ONNX Runtime has several wordings for that, which
    /// change with its version, and no code of its own. So a run that speaks of shapes is tried once more with no output given. One that had too
    /// little memory is not: it names the node that wanted memory, which may be called after shapes.
    /// </summary>
    private static bool SpeaksOfShapes(OnnxRuntimeException exception) => exception.Message.Contains("shape", StringComparison.OrdinalIgnoreCase);

    private bool TryPredict(LoadedModel model)
    {
        _response.Begin(model.Utf8Name, model.Utf8Version);
        foreach (var output in _plan.Outputs)
        {
            if (output.Classes > 0 || OutputPlan.Predict(output.Slot, _inputs) is not { } shape || !Shapes.TryCount(shape, out var count))
            {
                return false;
            }

            var size = output.Slot.Datatype.ElementSize();
            _response.AddOutput(output.Slot.Utf8Name, output.Slot.Datatype, shape, count > long.MaxValue / 2 / size ? long.MaxValue / 2 : count * size);
        }

        return true;
    }

    private unsafe PayloadBuffer RunIntoResponse(LoadedModel model, ReadOnlySpan<byte> id, out long computed, CancellationToken cancellationToken)
    {
        var answer = _response.Build(id);
        try
        {
            var bytes = answer.Span;
            fixed (byte* start = bytes)
            {
                for (var i = 0; i < _plan.Outputs.Count; i++)
                {
                    BindOutput(i, start, bytes.Length);
                }

                RunSession(model, _outputs, cancellationToken);
                computed = _time.GetTimestamp();
                foreach (var (place, source) in _pendingCopies)
                {
                    new ReadOnlySpan<byte>((void*)source, place.Length).CopyTo(place.Of(bytes));
                }
            }

            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    /// <summary>Computes an output in its place in the response, or beside it where that place is not aligned for its elements.</summary>
    private unsafe void BindOutput(int index, byte* response, int length)
    {
        var slot = _plan.Outputs[index].Slot;
        var place = _response.RawContents[index];
        Debug.Assert(place.Offset + place.Length <= length, "the response has room for each output");
        var target = (nint)(response + place.Offset);
        if (target % slot.Datatype.ElementSize() != 0)
        {
            fixed (byte* aligned = _scratch.Allocate(place.Length))
            {
                target = (nint)aligned;
            }

            _pendingCopies.Add((place, target));
        }

        var shape = OutputPlan.Predict(slot, _inputs)!;
        _outputs.Add(OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, slot.ElementType, shape, target, place.Length));
    }

    private void RunSession(LoadedModel model, List<OrtValue> outputs, CancellationToken cancellationToken)
    {
        using var termination = Begin(model, cancellationToken);
        _memory.Begin(model.MaxRunBytes);
        try
        {
            _session.Run(_run.Options, _inputs.Names, _inputs.Values, _plan.Names, outputs);
        }
        finally
        {
            MemoryUse.End();
            _run.End();
        }
    }

    private IDisposableReadOnlyCollection<OrtValue> RunSession(LoadedModel model, CancellationToken cancellationToken)
    {
        using var termination = Begin(model, cancellationToken);
        _memory.Begin(model.MaxRunBytes);
        try
        {
            return _session.Run(_run.Options, _inputs.Names, _inputs.Values, _plan.Names);
        }
        finally
        {
            MemoryUse.End();
            _run.End();
        }
    }

    /// <summary>Ends the run between two operators once the caller has given up. Disposing waits for a callback under way.</summary>
    private CancellationTokenRegistration Begin(LoadedModel model, CancellationToken cancellationToken)
    {
        _run.Begin(model, _message);
        return cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, _run.Options);
    }

    private ServingException Failed(LoadedModel model, OnnxRuntimeException exception, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return new ServingException(Failure.Cancelled($"the run of model '{model.Name}' was stopped: the caller gave up"), exception);
        }

        if (_run.EndedAfter is { } taken)
        {
            return new ServingException(RunTooLong(model, taken), exception);
        }

        if (_memory.Refused > 0)
        {
            return new ServingException(TooLarge(model), exception);
        }

        if (_inputs.ExplainByShape() is { } why)
        {
            return new ServingException(
                Failure.InvalidArgument($"unexpected shape for input for model '{model.Name}': {why}, and the model cannot run so: {OnnxErrors.Describe(exception)}"), exception);
        }

        model.ReportRunFailure(exception.Message);
        return new ServingException(
            Failure.Internal($"model '{model.Name}' version {model.Version} failed while running: {OnnxErrors.Describe(exception)}"), exception);
    }

    /// <summary>Another silo, or a quieter moment, may have room; what alone is larger than the limit fits nowhere.</summary>
    private Failure TooLarge(LoadedModel model)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"this run of model '{model.Name}' version {model.Version} does not fit in memory: it held {_memory.HeldAtRefusal} bytes and asked for {_memory.Refused} more. One run may take {model.RunLimit}");
        return _memory.IsBeyond(model.RunLimit) ? new Failure(StatusCode.ResourceExhausted, text) : Failure.Exhausted(text, NextTry);
    }

    private static Failure RunTooLong(LoadedModel model, TimeSpan taken) => Failure.DeadlineExceeded(string.Create(
        CultureInfo.InvariantCulture, $"the run of model '{model.Name}' version {model.Version} was ended after {taken.TotalSeconds:0.#} s: its silo lets no run of it take so long"));

    private void ClearOutputs()
    {
        foreach (var output in _outputs)
        {
            output.Dispose();
        }

        _outputs.Clear();
        _pendingCopies.Clear();
        _scratch.Clear();
    }

    private long Nanoseconds(long from, long to) => (long)(_time.GetElapsedTime(from, to).TotalMicroseconds * 1000);
}

/// <summary>The runners that no run uses, of all models: as many as there were runs at once. Safe from any thread.</summary>
internal sealed class SessionRunners(TimeProvider time) : IDisposable
{
    private readonly ConcurrentBag<SessionRunner> _idle = [];
    private readonly ConcurrentBag<SessionRunner> _all = [];
    private volatile bool _ended;

    /// <summary>A runner for one run; what the calling thread used last, if it is idle.</summary>
    public SessionRunner Rent() => _idle.TryTake(out var runner) ? runner : Create();

    public void Return(SessionRunner runner)
    {
        // Back before the look: whichever is later, this or the end, disposes of it.
        _idle.Add(runner);
        if (_ended)
        {
            DisposeIdle();
        }
    }

    /// <summary>Has runs of a model end that have taken so long.</summary>
    /// <inheritdoc cref="SessionRunner.EndRun" path="/param"/>
    public void EndRuns(LoadedModel model, TimeSpan longerThan, PayloadBuffer? of)
    {
        foreach (var runner in _all)
        {
            runner.EndRun(model, longerThan, of);
        }
    }

    public void Dispose()
    {
        _ended = true;
        DisposeIdle();
    }

    private void DisposeIdle()
    {
        while (_idle.TryTake(out var runner))
        {
            runner.Dispose();
        }
    }

    private SessionRunner Create()
    {
        var runner = new SessionRunner(time);
        _all.Add(runner);
        return runner;
    }
}

/// <summary>Where a run's time in the session went, in nanoseconds.</summary>
/// <param name="Input">Locating, checking and binding inputs.</param>
/// <param name="Infer">Running the graph.</param>
/// <param name="Output">Writing outputs into the response.</param>
/// <param name="Rows">Rows that were computed.</param>
internal readonly record struct RunTimes(long Input, long Infer, long Output, long Rows)
{
    public long Total => Input + Infer + Output;
}
