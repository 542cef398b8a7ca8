namespace Cluster.Gateway.Serving;

/// <summary>How one call of a request ended.</summary>
internal enum AttemptEnd
{
    /// <summary>With an answer that stands, good or bad.</summary>
    Final,

    /// <summary>The replica is not loaded any more.</summary>
    Moved,

    /// <summary>The replica has too much to do.</summary>
    Full,

    /// <summary>The call was delivered, and its silo was lost with it.</summary>
    Lost,

    /// <summary>No silo has had the call.</summary>
    Undelivered,

    /// <summary>The caller gave up; the replica may still read the message.</summary>
    Abandoned,
}
