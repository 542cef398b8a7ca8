using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

/// <summary>Reads samples as the REST front end reads the body of a request that is JSON from its first byte to its last.</summary>
public sealed class JsonSampleReader : ISampleReader
{
    /// <inheritdoc/>
    public PayloadBuffer Read(ReadOnlySpan<byte> json, int limit)
    {
        using var builder = new InferRequestBuilder(json.Length, limit);
        foreach (var input in JsonInferRequestReader.Read(json, builder).Inputs)
        {
            if (input.DataStart is null)
            {
                throw ServingException.InvalidArgument($"{input.Title} has no data");
            }

            if (input.DataElements is null)
            {
                JsonInferRequestReader.WriteWaiting(json, input, builder);
            }
        }

        return builder.Build();
    }
}
