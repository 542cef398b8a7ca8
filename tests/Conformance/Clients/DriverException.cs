namespace Cluster.Conformance.Clients;

/// <summary>The driver, not the server under test, failed: it did not start, ended, refused a command or did not answer.</summary>
public sealed class DriverException : Exception
{
    public DriverException(string message)
        : base(message)
    {
    }

    public DriverException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
