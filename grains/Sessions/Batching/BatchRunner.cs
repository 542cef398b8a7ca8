using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Wire;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>
/// Runs requests together. 1: each is checked as if it ran by itself. 2: those whose shapes fit make a group. 3: a group's inputs are copied one after the other into one
/// tensor each, padded where the plan says so. 4: the session runs once, and ends early where all callers give up. 5: each answer is written from its rows of the outputs, without
/// another copy between.
/// </summary>
internal sealed class BatchRunner(TimeProvider time) : IDisposable
{
    /// <summary>Parts that are kept for the next run; the lists in them take memory.</summary>
    private const int KeptParts = 64;

    private readonly InferRequestMessage _request = new();
    private readonly List<BatchPart> _parts = [];
    private readonly NativeScratch _scratch = new();
    private readonly InferResponseBuilder _response = new();
    private readonly RunHandle _run = new(time);
    private readonly MemoryUse _memory = new();

    /// <summary>Answers <paramref name="items"/> as far as they fit together; the others are left without an answer.</summary>
    /// <param name="session">One of the model's.</param>
    /// <param name="executed">Told of each run.</param>
    public void Run(
        LoadedModel model, InferenceSession session, BatchPlan plan, IReadOnlyList<BatchItem> items, ReplicaMetrics metrics, Action<BatchRun> executed)
    {
        var start = time.GetTimestamp();
        var bound = 0;
        try
        {
            for (; bound < items.Count; bound++)
            {
                PartAt(bound).Bind(model, items[bound], _request);
            }

            foreach (var group in BatchGroups.Of(_parts.Take(items.Count).Where(static part => part.Rows > 0), plan).Where(static group => group.Count > 1))
            {
                RunGroup(model, session, plan, group, metrics, start, executed);
                start = time.GetTimestamp();
            }
        }
        finally
        {
            for (var i = 0; i < Math.Min(items.Count, bound + 1); i++)
            {
                PartAt(i).Clear();
            }

            _parts.RemoveRange(Math.Min(KeptParts, _parts.Count), Math.Max(0, _parts.Count - KeptParts));
        }
    }

    /// <inheritdoc cref="SessionRunner.EndRun"/>
    public void EndRun(LoadedModel model, TimeSpan longerThan, PayloadBuffer? of) => _run.TryEnd(model, longerThan, of);

    public void Dispose() => _run.Dispose();

    private BatchPart PartAt(int index)
    {
        if (index == _parts.Count)
        {
            _parts.Add(new BatchPart());
        }

        return _parts[index];
    }

    private void RunGroup(
        LoadedModel model, InferenceSession session, BatchPlan plan, List<BatchPart> group, ReplicaMetrics metrics, long start, Action<BatchRun> executed)
    {
        for (var gone = group.RemoveAll(static part => part.Item.EndIfGivenUp()); gone > 0; gone--)
        {
            metrics.Rejected(RejectionReason.Cancelled);
        }

        if (group.Count == 0)
        {
            return;
        }

        var first = group[0];
        var rows = group.Sum(static part => part.Rows);
        var inputs = new List<OrtValue>(first.Inputs.Slots.Count);
        var isRunning = false;
        _memory.Clear();
        var joinedBytes = 0L;
        try
        {
            for (var i = 0; i < first.Inputs.Slots.Count; i++)
            {
                if (Join(model, group, i, rows, plan, ref joinedBytes) is not { } joined)
                {
                    return;
                }

                inputs.Add(joined);
            }

            var names = OutputNames(group);
            var bound = time.GetTimestamp();
            metrics.RunStarted(rows);
            isRunning = true;
            using var outputs = RunSession(model, session, group, inputs, names);
            var computed = time.GetTimestamp();
            metrics.RunEnded(time.GetElapsedTime(bound, computed));
            isRunning = false;
            if (Wrong(outputs, names, rows) is { } wrong)
            {
                model.DistrustBatches(wrong);
                return;
            }

            if (!TryAnswer(model, plan, group, outputs, names))
            {
                return;
            }

            var times = new RunTimes(Nanoseconds(start, bound), Nanoseconds(bound, computed), Nanoseconds(computed, time.GetTimestamp()), rows);
            group.ForEach(part => part.Item.Times = times with { Rows = part.Rows });
            executed(new BatchRun(times, group.Count(static part => part.Item.Reply is { Succeeded: true })));
        }
        catch (OnnxRuntimeException)
        {
            // One request may be what the model cannot run: each runs by itself and has an error of its own.
            group.ForEach(static part => part.Item.GiveUp());
            group.ForEach(static part => part.Item.EndIfGivenUp());
            if (_memory.IsBeyond(model.RunLimit))
            {
                model.DistrustBatches(FormattableString.Invariant($"a run of {rows} rows does not fit in memory"));
            }
        }
        catch
        {
            group.ForEach(static part => part.Item.GiveUp());
            throw;
        }
        finally
        {
            if (isRunning)
            {
                metrics.RunFailed();
            }

            inputs.ForEach(static input => input.Dispose());
            _scratch.Clear();
            model.RunMemory.Note(_memory.Peak);
        }
    }

    private IDisposableReadOnlyCollection<OrtValue> RunSession(
        LoadedModel model, InferenceSession session, List<BatchPart> group, List<OrtValue> inputs, List<string> outputs)
    {
        _run.Begin(model, null);
        using var callers = new LastCaller(group.ConvertAll(static part => part.Item.Cancellation), _run.Options);
        callers.Watch();
        _memory.Begin(model.MaxRunBytes);
        try
        {
            return session.Run(_run.Options, group[0].Inputs.Names, inputs, outputs);
        }
        finally
        {
            MemoryUse.End();
            _run.End();
        }
    }

    /// <summary>One input of all requests, one after the other; null where that is larger than a tensor, or a run, may be.</summary>
    private OrtValue? Join(LoadedModel model, List<BatchPart> group, int index, long rows, BatchPlan plan, ref long joinedBytes)
    {
        var slot = group[0].Inputs.Slots[index];
        var size = slot.Datatype.ElementSize();
        var padded = plan.PaddingOf(slot);
        var shape = (long[])group[0].Inputs.Shapes[index].Clone();
        if (padded is { } longest)
        {
            shape[longest.Dimension] = group.Max(part => part.Inputs.Shapes[index][longest.Dimension]);
        }

        shape[0] = rows;
        if (!Shapes.TryCount(shape, out var count) || count > Array.MaxLength / size)
        {
            return null;
        }

        joinedBytes += count * size;
        if (joinedBytes > model.MaxRunBytes || !OnnxAllocator.HasRoomForMessage((int)Math.Min(joinedBytes, int.MaxValue)))
        {
            return null;
        }

        var joined = _scratch.Allocate((int)(count * size));
        var rowBytes = (int)(count / rows * size);
        var offset = 0;
        foreach (var part in group)
        {
            var own = part.Inputs.Shapes[index];
            var target = joined.Slice(offset, (int)part.Rows * rowBytes);
            var source = part.Inputs.Values[index].GetTensorMutableRawData();
            if (padded is { } padding && own[padding.Dimension] < shape[padding.Dimension])
            {
                TensorRegion.Fill(target, padding.Pattern);
                TensorRegion.Copy(source, own, target, shape, size);
            }
            else
            {
                source.CopyTo(target);
            }

            offset += target.Length;
        }

        return Wrap(joined, slot, shape);
    }

    /// <summary>What any of the requests asks for.</summary>
    private static List<string> OutputNames(List<BatchPart> group)
    {
        var names = new List<string>(group[0].Outputs.Names);
        foreach (var part in group)
        {
            names.AddRange(part.Outputs.Names.Where(name => !names.Contains(name)));
        }

        return names;
    }

    /// <summary>Why the rows of an output are not those of the inputs; null where they are.</summary>
    private static string? Wrong(IReadOnlyList<OrtValue> outputs, List<string> names, long rows)
    {
        for (var i = 0; i < outputs.Count; i++)
        {
            var shape = outputs[i].GetTensorTypeAndShape().Shape;
            if (shape is not [var first, ..] || first != rows)
            {
                return $"output '{names[i]}' has shape {Shapes.Describe(shape)} for inputs of {rows} rows";
            }
        }

        return null;
    }

    /// <returns>False where an output's size says nothing of which request it belongs to.</returns>
    private bool TryAnswer(LoadedModel model, BatchPlan plan, List<BatchPart> group, IReadOnlyList<OrtValue> outputs, List<string> names)
    {
        var cuts = names.ConvertAll(name => CutsOf(name, model, plan, group, outputs[names.IndexOf(name)].GetTensorTypeAndShape().Shape));
        if (cuts.Contains(null))
        {
            group.ForEach(static part => part.Item.GiveUp());
            return false;
        }

        long row = 0;
        var values = new List<OrtValue>();
        foreach (var part in group)
        {
            if (part.Item.EndIfGivenUp())
            {
                row += part.Rows;
                continue;
            }

            try
            {
                foreach (var (slot, _) in part.Outputs.Outputs)
                {
                    var at = names.IndexOf(slot.Name);
                    values.Add(RowsOf(outputs[at], slot, row, part, cuts[at]!));
                }

                part.Item.Reply = InferReply.Success(OutputWriter.Write(model, part.Outputs, values, _response, part.Id));
            }
            catch (ServingException exception)
            {
                part.Item.Reply = InferReply.Failed(exception.Failure);
            }
            finally
            {
                values.ForEach(static value => value.Dispose());
                values.Clear();
            }

            row += part.Rows;
        }

        return true;
    }

    /// <summary>For each dimension of an output that is cut back, the input whose own size it gets. Null where that cannot be told: no batch follows.</summary>
    private static Cut[]? CutsOf(string name, LoadedModel model, BatchPlan plan, List<BatchPart> group, long[] shape)
    {
        var slot = Array.Find(model.Signature.Outputs, output => output.Name == name)!;
        var cuts = new List<Cut>();
        for (var d = 1; d < shape.Length; d++)
        {
            if (!plan.IsCut(slot, d))
            {
                continue;
            }

            if (plan.SourceOf(slot, d, group[0].Inputs.Slots) is not { } input || group.Max(part => part.Inputs.Shapes[input][plan.PaddingOf(part.Inputs.Slots[input])!.Value.Dimension]) != shape[d])
            {
                model.DistrustBatches($"dimension {d} of output '{name}' is {shape[d]}, which is the length of no padded input that it could follow");
                return null;
            }

            cuts.Add(new Cut(d, input, plan.PaddingOf(group[0].Inputs.Slots[input])!.Value.Dimension));
        }

        return [.. cuts];
    }

    /// <summary>A request's rows of an output where they lie, or cut back to the request's own sizes.</summary>
    private OrtValue RowsOf(OrtValue output, TensorSlot slot, long row, BatchPart part, Cut[] cuts)
    {
        var size = slot.Datatype.ElementSize();
        var whole = output.GetTensorTypeAndShape().Shape;
        var bytes = output.GetTensorMutableRawData();
        var rowBytes = bytes.Length / (int)whole[0];
        var own = bytes.Slice((int)row * rowBytes, (int)part.Rows * rowBytes);
        whole[0] = part.Rows;
        var cut = (long[])whole.Clone();
        foreach (var (dimension, input, padded) in cuts)
        {
            cut[dimension] = part.Inputs.Shapes[input][padded];
        }

        if (cut.AsSpan().SequenceEqual(whole) || own.IsEmpty)
        {
            return Wrap(own, slot, cut);
        }

        _ = Shapes.TryCount(cut, out var count);
        var copy = _scratch.Allocate((int)count * size);
        TensorRegion.Copy(own, whole, copy, cut, size);
        return Wrap(copy, slot, cut);
    }

    /// <summary>The bytes are native, so their address holds.</summary>
    private static unsafe OrtValue Wrap(Span<byte> bytes, TensorSlot slot, long[] shape)
    {
        fixed (byte* start = bytes)
        {
            return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, slot.ElementType, shape, (nint)start, bytes.Length);
        }
    }

    private long Nanoseconds(long from, long to) => (long)(time.GetElapsedTime(from, to).TotalMicroseconds * 1000);

    /// <param name="Dimension">Of the output.</param>
    /// <param name="Input">Its place among those of the requests.</param>
    /// <param name="Padded">The input's dimension whose size it gets.</param>
    private readonly record struct Cut(int Dimension, int Input, int Padded);
}
