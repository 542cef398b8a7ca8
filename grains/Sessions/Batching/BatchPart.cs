using System.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Wire;
using Cluster.Grains.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>One request's tensors in a run that answers several. Used again for another request after <see cref="Clear"/>.</summary>
internal sealed class BatchPart
{
    private MemoryHandle _pinned;
    private Slice _id;

    public BatchItem Item { get; private set; } = null!;

    public InputBinder Inputs { get; } = new();

    public OutputPlan Outputs { get; } = new();

    /// <summary>UTF-8.</summary>
    public ReadOnlySpan<byte> Id => _id.Of(Item.Message.Span);

    /// <summary>The first dimension of every input; 0 where the request is to run by itself.</summary>
    public long Rows { get; private set; }

    /// <summary>Checks the request as a run by itself does. A mistake in it becomes its answer.</summary>
    /// <param name="request">Reads it; used again for the next part.</param>
    public void Bind(LoadedModel model, BatchItem item, InferRequestMessage request)
    {
        Item = item;
        _id = default;
        Rows = 0;
        _pinned = item.Message.Memory.Pin();
        var bytes = item.Message.Span;
        try
        {
            request.Parse(bytes);
            _id = request.Id;
            model.CheckPriority(bytes, request);
            Outputs.Read(bytes, request, model.Name, model.Signature);
            Inputs.Bind(bytes, request, model.Name, model.Signature);
            Rows = CommonRows();
        }
        catch (ServingException exception)
        {
            item.Reply = InferReply.Failed(exception.Failure);
        }
        catch (OnnxRuntimeException)
        {
            // Its run by itself says what is wrong.
            Rows = 0;
        }
    }

    /// <summary>Whether both can be rows of one run.</summary>
    public bool Fits(BatchPart other, BatchPlan plan)
    {
        if (!Inputs.Slots.SequenceEqual(other.Inputs.Slots))
        {
            return false;
        }

        for (var i = 0; i < Inputs.Slots.Count; i++)
        {
            var (mine, others) = (Inputs.Shapes[i], other.Inputs.Shapes[i]);
            var padded = plan.PaddingOf(Inputs.Slots[i])?.Dimension;
            for (var d = 1; d < mine.Length; d++)
            {
                if (mine[d] != others[d] && d != padded)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Ends the use of the request's memory.</summary>
    public void Clear()
    {
        Inputs.Clear();
        _pinned.Dispose();
        Item = null!;
    }

    /// <summary>0 where the inputs have no rows in common: their run by itself says what the model makes of them.</summary>
    private long CommonRows()
    {
        long rows = 0;
        for (var i = 0; i < Inputs.Slots.Count; i++)
        {
            var shape = Inputs.Shapes[i];
            if (!Inputs.Slots[i].HasRows || Inputs.Slots[i].Datatype == Datatype.Bytes || shape.Contains(0) || (rows > 0 && shape[0] != rows))
            {
                return 0;
            }

            rows = shape[0];
        }

        return rows;
    }
}
