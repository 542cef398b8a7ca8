namespace Cluster.Grains.Objects;

/// <summary>The failure of a store's operation. The message has no text of the store's, as that may name keys.</summary>
internal sealed class ObjectStoreException(StoreFailure failure, string message, Exception? cause = null) : Exception(message, cause)
{
    public StoreFailure Failure => failure;

    /// <summary>Whether the same request may succeed a moment later.</summary>
    public bool IsPassing => failure is StoreFailure.Away or StoreFailure.Busy;
}

internal enum StoreFailure
{
    /// <summary>It cannot be reached, failed, or the connection was cut.</summary>
    Away,

    /// <summary>It asks for fewer requests.</summary>
    Busy,

    /// <summary>The credentials are missing, wrong or not enough.</summary>
    Denied,

    /// <summary>No such bucket or object.</summary>
    Missing,

    /// <summary>The object has another content than the one that was listed.</summary>
    Changed,

    /// <summary>It answered with something else than was asked for.</summary>
    Broken,
}
