namespace Cluster.Runtime;

/// <summary>How a write to the membership table ended.</summary>
internal enum TableWrite
{
    Written,

    /// <summary>The table is not at the version that was expected.</summary>
    Conflict,

    /// <summary>The table cannot be reached; it is not known whether it was written.</summary>
    Unavailable,
}
