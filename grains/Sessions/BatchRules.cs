using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Sessions;

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

    private static ServingException Unloadable(string message) => new(Failure.Unavailable(message, LoadFailures.RetryAfter));
}
