using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>The answer of a script, or why there is none.</summary>
internal readonly record struct RedisReply(RedisOutcome Outcome, RedisValue[] Values, string? Error)
{
    public bool IsDone => Outcome == RedisOutcome.Done;

    public static RedisReply Done(RedisValue[] values) => new(RedisOutcome.Done, values, null);

    public static RedisReply Failed(RedisOutcome outcome, string error) => new(outcome, [], error);

    /// <summary>What a caller that cannot go on without Redis gets; it may be tried again later.</summary>
    public SiloUnavailableException ToException(string what) => new($"{what} needs Redis, which is {Outcome switch
    {
        RedisOutcome.Unreachable => "unreachable",
        RedisOutcome.Unknown => "not answering",
        _ => "refusing it",
    }}: {Error}");
}
