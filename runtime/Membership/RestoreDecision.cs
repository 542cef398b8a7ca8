namespace Cluster.Runtime;

/// <summary>What a silo makes of a table that it has read.</summary>
internal enum RestoreDecision
{
    /// <summary>It follows on what was known.</summary>
    Accept,

    /// <summary>Something is missing in it: write the view that comes with this.</summary>
    PutBack,

    /// <summary>The silo is dead in it.</summary>
    Terminate,
}
