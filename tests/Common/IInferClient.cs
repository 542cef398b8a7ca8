namespace Cluster.Tests.Common;

/// <summary>Inference over one of the protocols, with raw tensors both ways.</summary>
public interface IInferClient : IDisposable
{
    /// <summary>All outputs, in the server's order.</summary>
    /// <exception cref="InvalidOperationException">The server refused; the message is its answer.</exception>
    Task<IReadOnlyList<RawTensor>> InferAsync(string model, IReadOnlyList<RawTensor> inputs, CancellationToken cancellationToken = default);
}
