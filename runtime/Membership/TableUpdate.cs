namespace Cluster.Runtime;

/// <summary>How a change of the membership ended.</summary>
internal enum TableUpdate
{
    Written,

    /// <summary>The table is as it should be.</summary>
    NothingToDo,

    /// <summary>The table cannot be reached, or others were faster too often.</summary>
    Unavailable,

    /// <summary>This silo is dead.</summary>
    Terminated,
}
