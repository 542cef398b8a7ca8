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
