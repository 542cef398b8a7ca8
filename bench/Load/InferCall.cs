namespace Cluster.Bench.Load;

/// <summary>One request in one protocol: what <see cref="H2Load"/> sends over and over, and a client of .NET that checks the answer to it.</summary>
internal abstract class InferCall : IDisposable
{
    public abstract Uri Url { get; }

    /// <summary>Lines of <c>name: value</c>, besides those that every client sends.</summary>
    public abstract IReadOnlyList<string> Headers { get; }

    public abstract byte[] Body { get; }

    /// <summary>HTTP/1.1 where it is false.</summary>
    public abstract bool IsHttp2 { get; }

    /// <summary>Sends the request once and compares the answer's values.</summary>
    /// <returns>The length of the answer's body, bytes.</returns>
    /// <exception cref="InvalidDataException">The answer is a wrong one, or an error over REST.</exception>
    /// <exception cref="GrpcFailureException">The answer is an error over gRPC.</exception>
    public abstract Task<long> CheckAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}
