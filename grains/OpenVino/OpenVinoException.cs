namespace Cluster.Grains.OpenVino;

/// <summary>What <c>--openvino</c> names cannot be used: the process does not start. The message is a whole sentence for the operator.</summary>
public sealed class OpenVinoException : Exception
{
    public OpenVinoException(string message)
        : base(message)
    {
    }

    public OpenVinoException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
