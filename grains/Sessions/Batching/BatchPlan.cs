using Cluster.Contracts.Models;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>How a model's requests are run together: what of its tensors may differ between them.</summary>
internal sealed class BatchPlan
{
    private readonly Dictionary<TensorSlot, PaddedInput> _padded = [];
    private readonly HashSet<string> _paddedSymbols = new(StringComparer.Ordinal);
    private readonly BatchingSettings _settings;

    /// <param name="settings">Checked by <see cref="BatchRules"/>.</param>
    public BatchPlan(BatchingSettings settings, ModelSignature signature)
    {
        _settings = settings;
        foreach (var input in signature.Inputs)
        {
            if (settings.Padding.TryGetValue(input.Name, out var padding))
            {
                _padded.Add(input, new PaddedInput(padding.Dimension, Pattern(input.Datatype, padding.Value)));
                _paddedSymbols.Add(input.Dimensions![padding.Dimension].Symbol);
            }
        }

        _paddedSymbols.Remove("");
    }

    /// <summary>The padded dimension of an input; null where it has none.</summary>
    public PaddedInput? PaddingOf(TensorSlot input) => _padded.TryGetValue(input, out var padded) ? padded : null;

    /// <summary>Whether <paramref name="dimension"/> of an output is as long as a padded one of the inputs, so that it is cut back.</summary>
    public bool IsCut(TensorSlot output, int dimension) =>
        _settings.Padding.TryGetValue(output.Name, out var named)
            ? named.Dimension == dimension
            : output.Dimensions is { } dimensions && dimension < dimensions.Length && _paddedSymbols.Contains(dimensions[dimension].Symbol);

    /// <summary>
    /// The padded input that <paramref name="dimension"/> of an output is as long as: the one whose dimension has the graph's same name, or the only one. Null where there are
    /// several that it could be.
    /// </summary>
    public int? SourceOf(TensorSlot output, int dimension, List<TensorSlot> inputs)
    {
        int? source = null;
        var symbol = output.Dimensions![dimension].Symbol;
        for (var i = 0; i < inputs.Count; i++)
        {
            if (!_padded.TryGetValue(inputs[i], out var padded))
            {
                continue;
            }

            var name = inputs[i].Dimensions![padded.Dimension].Symbol;
            if (name == symbol && symbol.Length > 0)
            {
                return i;
            }

            // Inputs whose padded dimensions have one name are one source.
            if (source is { } other && (name.Length == 0 || inputs[other].Dimensions![_padded[inputs[other]].Dimension].Symbol != name))
            {
                return null;
            }

            source ??= i;
        }

        return source;
    }

    /// <summary>One element of <paramref name="value"/>, in the bytes of its datatype.</summary>
    private static byte[] Pattern(Datatype datatype, double value) => datatype switch
    {
        Datatype.Fp64 => BitConverter.GetBytes(value),
        Datatype.Fp32 => BitConverter.GetBytes((float)value),
        Datatype.Fp16 => BitConverter.GetBytes((Half)value),
        Datatype.Bf16 => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16)),
        Datatype.Bool => [value == 0 ? (byte)0 : (byte)1],
        Datatype.UInt64 => BitConverter.GetBytes((ulong)value),
        _ => BitConverter.GetBytes((long)value)[..datatype.ElementSize()],
    };
}

/// <summary>An input that shorter requests are padded in.</summary>
/// <param name="Dimension">From 1.</param>
/// <param name="Pattern">The bytes of one element of the padding.</param>
internal readonly record struct PaddedInput(int Dimension, byte[] Pattern);
