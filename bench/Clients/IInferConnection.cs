using Cluster.Bench.Measurement;

namespace Cluster.Bench.Clients;

/// <summary>
/// One connection to the server that sends one workload. <see cref="AskOnce"/> comes first on every connection: it
/// settles the protocol's parameters and how long a right answer is. <see cref="ILoadWorker.Run"/> then checks each answer's
/// status and length only.
/// </summary>
internal interface IInferConnection : ILoadWorker
{
    /// <summary>Sends one request.</summary>
    /// <returns>The output's elements, valid until the next call.</returns>
    /// <exception cref="InvalidDataException">The answer is an error, or none that the protocol allows.</exception>
    ReadOnlySpan<float> AskOnce();
}
