namespace Cluster.Runtime;

/// <summary>
/// A grain in another process failed with an exception that has no form of its own on the wire. Only its type's name and its
/// message come along.
/// </summary>
public sealed class RemoteException : Exception
{
    public RemoteException()
        : this("", "")
    {
    }

    public RemoteException(string message)
        : this("", message)
    {
    }

    public RemoteException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public RemoteException(string typeName, string message)
        : base(message) => TypeName = typeName;

    /// <summary>The full name of the exception's type over there.</summary>
    public string TypeName { get; } = "";
}
