namespace Cluster.Silo.Options;

/// <summary>What a process is.</summary>
public enum ServeRole
{
    /// <summary>Silo and gateway in one; without Redis it is the whole cluster.</summary>
    All,

    /// <summary>Holds models and runs them; one of many.</summary>
    Silo,

    /// <summary>Takes clients' requests and hands them to silos; one of many.</summary>
    Gateway,
}
