namespace Cluster.Grains.Replication;

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
