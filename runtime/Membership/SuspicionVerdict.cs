namespace Cluster.Runtime;

/// <summary>What a silo concludes about another that does not answer it.</summary>
internal enum SuspicionVerdict
{
    Vote,

    /// <summary>It answered after all, or answers others.</summary>
    AnswersOthers,

    /// <summary>Too few silos answer this one: it may be the one that is cut off.</summary>
    SelfIsolated,

    /// <summary>This silo was not running smoothly itself.</summary>
    SelfSlow,
}
