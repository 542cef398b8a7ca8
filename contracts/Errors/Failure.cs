namespace Cluster.Contracts.Errors;

/// <summary>Why a call has no result, as both protocols report it to the client.</summary>
/// <param name="Code">Never <see cref="StatusCode.Ok"/>.</param>
/// <param name="Message">Names the model, the tensor or the option, what was found and what would be right.</param>
/// <param name="RetryAfter">How long a client should wait before it tries again; null where a retry cannot help.</param>
[GenerateSerializer, Immutable, Alias("failure")]
public sealed record Failure(
    [property: Id(0)] StatusCode Code,
    [property: Id(1)] string Message,
    [property: Id(2)] TimeSpan? RetryAfter = null)
{
    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(1);

    /// <summary>The kind on which callers inside the cluster act.</summary>
    [Id(3)]
    public FailureKind Kind { get; init; }

    /// <summary>The request itself is wrong; sending it again cannot help.</summary>
    public static Failure InvalidArgument(string message) => new(StatusCode.InvalidArgument, message);

    /// <summary>No such model or version.</summary>
    public static Failure NotFound(string message) => new(StatusCode.NotFound, message);

    /// <summary>No replica can answer now. Another try is worthwhile after <paramref name="retryAfter"/>.</summary>
    public static Failure Unavailable(string message, TimeSpan retryAfter) => new(StatusCode.Unavailable, message, retryAfter);

    /// <summary>The replica that was asked is not loaded, or ends.</summary>
    public static Failure Moved(string message) => Unavailable(message, SoonAgain) with { Kind = FailureKind.Moved };

    /// <summary>The silo that was asked is lost, or cannot be reached.</summary>
    public static Failure Lost(string message) => Unavailable(message, SoonAgain) with { Kind = FailureKind.Lost };

    /// <summary>A queue, a quota or the cluster is full. Another try is worthwhile after <paramref name="retryAfter"/>.</summary>
    public static Failure Exhausted(string message, TimeSpan retryAfter) =>
        new(StatusCode.ResourceExhausted, message, retryAfter) { Kind = FailureKind.Full };

    /// <summary>The caller's deadline passed before an answer was there.</summary>
    public static Failure DeadlineExceeded(string message) => new(StatusCode.DeadlineExceeded, message);

    /// <summary>The caller went away.</summary>
    public static Failure Cancelled(string message) => new(StatusCode.Cancelled, message);

    /// <summary>The model, or the server, failed.</summary>
    public static Failure Internal(string message) => new(StatusCode.Internal, message);
}

/// <summary>Outcome of a call, with gRPC's numbers; <c>gateway</c> maps each to its HTTP status.</summary>
[GenerateSerializer, Alias("status-code")]
public enum StatusCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// <summary>What a failure means to the callers inside the cluster that act on it. Clients see the status code alone.</summary>
[GenerateSerializer, Alias("failure-kind")]
public enum FailureKind
{
    /// <summary>The failure is the answer: another try elsewhere would end the same way.</summary>
    None = 0,

    /// <summary>The replica is not loaded, or ends: another has to answer.</summary>
    Moved = 1,

    /// <summary>The replica's queue or its silo's memory is full; another may have room.</summary>
    Full = 2,

    /// <summary>No silo can hold a replica now.</summary>
    NoSilo = 3,

    /// <summary>The content does not load on the silo.</summary>
    LoadFailed = 4,

    /// <summary>The silo was lost, or cannot be reached.</summary>
    Lost = 5,
}

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
