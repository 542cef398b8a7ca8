namespace Cluster.Runtime;

/// <summary>Bytes from another process make no sense, or a value cannot be written for one. The message says which and why.</summary>
public sealed class WireFormatException : Exception
{
    public WireFormatException()
        : base("the bytes are not what the wire format asks for")
    {
    }

    public WireFormatException(string message)
        : base(message)
    {
    }

    public WireFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
