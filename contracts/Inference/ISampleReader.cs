using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Inference;

/// <summary>Makes a request of a sample that lies beside a model.</summary>
public interface ISampleReader
{
    /// <param name="json">What a client sends to REST, with <c>data</c> for each input.</param>
    /// <param name="limit">The largest request, bytes.</param>
    /// <returns>The caller owns it.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT or RESOURCE_EXHAUSTED: it is no such request.</exception>
    PayloadBuffer Read(ReadOnlySpan<byte> json, int limit);
}
