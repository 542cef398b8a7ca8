namespace Cluster.Runtime;

/// <summary>The silo that should serve a call is stopping, dead or unreachable. Another try may reach another silo.</summary>
public sealed class SiloUnavailableException : Exception
{
    public SiloUnavailableException()
        : base("the silo is not available")
    {
    }

    public SiloUnavailableException(string message)
        : base(message)
    {
    }

    public SiloUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// False: the grain has certainly not run the call. True: the call was on its way, so it may have run. Only this runtime says it.
    /// </summary>
    public bool MayHaveRun { get; init; }
}
