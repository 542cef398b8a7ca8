using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>Whether what the settings tell clients about batches and images can be so with the graph.</summary>
internal static class BatchRules
{
    /// <summary>Height, width and channels.</summary>
    private const int ImageRank = 3;

    /// <exception cref="ServingException">UNAVAILABLE: a first dimension is no batch, or a format is told of what is no image.</exception>
    public static void Check(ModelSettings settings, ModelSignature signature)
    {
        if (settings.MaxBatchSize > 0)
        {
            foreach (var (role, slot) in signature.Inputs.Where(static input => !input.Optional).Select(static input => ("input", input))
                .Concat(signature.Outputs.Select(static output => ("output", output))))
            {
                CheckBatch(settings.MaxBatchSize, role, slot);
            }
        }

        if (settings.Batching.IsOn)
        {
            CheckJoined(settings.Batching, signature);
        }

        foreach (var name in settings.Format.Keys.Where(static name => name.Length > 0))
        {
            var rank = settings.MaxBatchSize > 0 ? ImageRank + 1 : ImageRank;
            if (Array.Find(signature.Inputs, input => input.Name == name) is not { } input)
            {
                throw Unloadable($"format names '{name}', which is no input of the model; its inputs are {signature.InputNames}");
            }

            if (input.Dimensions?.Length != rank)
            {
                throw Unloadable(
                    $"format needs an input of {rank} dimensions{(rank > ImageRank ? ", the batch included" : "; with max_batch_size the batch is one more")}, but '{name}' is {input.DescribeShape()}");
            }
        }
    }

    private static void CheckBatch(int most, string role, TensorSlot slot)
    {
        if (slot.Dimensions is not [var first, ..])
        {
            throw Unloadable($"max_batch_size needs a first dimension for the batch, but {role} '{slot.Name}' has {(slot.Dimensions is null ? "no declared shape" : "no dimension")}");
        }

        if (first.IsFixed && first.Range.Min != most)
        {
            throw Unloadable($"max_batch_size is {most}, but the first dimension of {role} '{slot.Name}' is {first.Range} in the model");
        }
    }

    private static void CheckJoined(BatchingSettings batching, ModelSignature signature)
    {
        foreach (var (role, slot) in signature.Inputs.Where(static input => !input.Optional).Select(static input => ("input", input))
            .Concat(signature.Outputs.Select(static output => ("output", output))))
        {
            if (slot.Datatype == Datatype.Bytes)
            {
                throw Unloadable($"batching joins tensors of numbers, but {role} '{slot.Name}' is BYTES");
            }

            if (!slot.HasRows || slot.Dimensions![0].Range.Max < batching.MaxSize)
            {
                throw Unloadable(
                    $"batching needs a first dimension of up to {batching.MaxSize} rows, its max_size, but {role} '{slot.Name}' has {(slot.Dimensions is null ? "no declared shape" : $"shape {slot.DescribeShape()}")}");
            }
        }

        foreach (var (name, padded) in batching.Padding)
        {
            CheckPadding(name, padded, signature);
        }

        if (!batching.Padding.IsEmpty && !signature.Inputs.Any(input => batching.Padding.ContainsKey(input.Name)))
        {
            throw Unloadable($"batching.padding names no input; the model's inputs are {signature.InputNames}");
        }
    }

    private static void CheckPadding(string name, PaddedDimension padded, ModelSignature signature)
    {
        var input = Array.Find(signature.Inputs, input => input.Name == name && !input.Optional);
        if ((input ?? Array.Find(signature.Outputs, output => output.Name == name)) is not { } slot)
        {
            throw Unloadable($"batching.padding names '{name}', which is no input or output of the model");
        }

        if (padded.Dimension >= slot.Dimensions!.Length || slot.Dimensions[padded.Dimension].IsFixed)
        {
            throw Unloadable($"batching.padding names dimension {padded.Dimension} of '{name}', which is no dimension that requests choose: its shape is {slot.DescribeShape()}");
        }

        if (input is not null && !Holds(input.Datatype, padded.Value))
        {
            throw Unloadable(string.Create(CultureInfo.InvariantCulture, $"batching.padding pads '{name}' with {padded.Value}, which {input.Datatype.Name()} does not hold"));
        }
    }

    /// <summary>Whether a datatype has this very value; of those with fractions the nearest will do.</summary>
    private static bool Holds(Datatype datatype, double value) => datatype switch
    {
        Datatype.Fp64 => true,
        Datatype.Fp32 or Datatype.Bf16 => float.IsFinite((float)value),
        Datatype.Fp16 => Half.IsFinite((Half)value),
        Datatype.Bool => value is 0 or 1,
        Datatype.UInt8 or Datatype.UInt16 or Datatype.UInt32 or Datatype.UInt64 =>
            value == Math.Floor(value) && value >= 0 && value < Math.Pow(2, 8 * datatype.ElementSize()),
        _ => value == Math.Floor(value) && value >= -Math.Pow(2, (8 * datatype.ElementSize()) - 1) && value < Math.Pow(2, (8 * datatype.ElementSize()) - 1),
    };

    private static ServingException Unloadable(string message) => new(Failure.Unavailable(message, LoadFailures.RetryAfter));
}
