namespace Cluster.Runtime;

/// <summary>The exceptions that arrive as what they were. The numbers are part of the protocol.</summary>
internal enum ExceptionKind
{
    /// <summary>Arrives as a <see cref="RemoteException"/>.</summary>
    Other = 0,

    SiloUnavailable = 1,

    Timeout = 2,

    Canceled = 3,

    /// <summary>Has <see cref="GenerateSerializerAttribute"/>; travels under its alias.</summary>
    Serializable = 4,

    WireFormat = 5,
}
