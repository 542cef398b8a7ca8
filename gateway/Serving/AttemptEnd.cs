namespace Cluster.Gateway.Serving;

/// <summary>How one call of a request ended.</summary>
internal enum AttemptEnd
{
    /// <summary>With an answer that stands, good or bad.</summary>
    Final,

    /// <summary>The copy is not the one to ask any more.</summary>
    Moved,

    /// <summary>The copy has too much to do.</summary>
    Full,

    /// <summary>Its silo could not be reached, or was lost with the call.</summary>
    Lost,

    /// <summary>The caller gave up; the copy may still read the message.</summary>
    Abandoned,
}
