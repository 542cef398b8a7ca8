using StackExchange.Redis;

namespace Cluster.Grains.Replication;

/// <summary>The answer of a script, or why there is none.</summary>
internal readonly record struct RedisReply(RedisOutcome Outcome, RedisValue[] Values, string? Error)
{
    // What Redis refuses with, wherever in its text that stands, and what a client is told of it.
    private static readonly (string Code, string Cause)[] Refusals =
    [
        ("OOM ", "its memory is full"),
        ("READONLY ", "it is a replica"),
        ("LOADING ", "it loads its data"),
        ("MISCONF ", "it cannot save its data"),
        ("NOREPLICAS ", "it has too few replicas"),
        ("NOPERM ", "its user lacks a right"),
    ];

    public bool IsDone => Outcome == RedisOutcome.Done;

    public static RedisReply Done(RedisValue[] values) => new(RedisOutcome.Done, values, null);

    public static RedisReply Failed(RedisOutcome outcome, string error) => new(outcome, [], error);

    /// <summary>Why Redis refused it, in a few words of ours.</summary>
    public string Cause
    {
        get
        {
            var error = Error ?? "";
            return Array.Find(Refusals, refusal => error.Contains(refusal.Code, StringComparison.Ordinal)).Cause ?? "see the log";
        }
    }

    /// <summary>What a caller that cannot go on without Redis gets; it may be tried again later.</summary>
    /// <param name="what">What cannot be done, as a sentence.</param>
    public SiloUnavailableException ToException(string what) => new($"{what}: Redis {Outcome switch
    {
        RedisOutcome.Unreachable => $"is unreachable, {Error}",
        RedisOutcome.Unknown => $"does not answer, {Error}",
        _ => $"refuses it, {Cause}",
    }}");
}

/// <summary>How an operation on Redis ended.</summary>
internal enum RedisOutcome
{
    Done,

    /// <summary>There is no connection; nothing was changed.</summary>
    Unreachable,

    /// <summary>No answer in time, or the connection broke: it may have been carried out or not.</summary>
    Unknown,

    /// <summary>Redis answered with an error, such as missing rights or a full memory.</summary>
    Refused,
}
