namespace Cluster.Runtime;

/// <summary>How a connection ended.</summary>
internal enum CloseCause
{
    /// <summary>The other end closed it without a goodbye, or the network broke it.</summary>
    Lost,

    /// <summary>This end gave it up: silence, or nonsense on the wire.</summary>
    GivenUp,

    /// <summary>As one of the two ends announced or decided.</summary>
    Orderly,
}
