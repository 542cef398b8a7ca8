namespace Cluster.Contracts.Errors;

/// <summary>
/// Carries a <see cref="Errors.Failure"/> up to the edge that answers the client: out of a parser, or out of a grain's
/// control-plane call. The inference path returns failures as values instead.
/// </summary>
[GenerateSerializer, Alias("serving-exception")]
public sealed class ServingException : Exception
{
    public ServingException(Failure failure, Exception? inner = null)
        : base(failure.Message, inner)
    {
        Failure = failure;
    }

    /// <summary>The failure that the client gets.</summary>
    [Id(0)]
    public Failure Failure { get; }

    /// <summary>An exception for a request that is wrong in itself.</summary>
    public static ServingException InvalidArgument(string message) => new(Failure.InvalidArgument(message));
}
