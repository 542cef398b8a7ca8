namespace Cluster.Runtime.CodeGeneration;

/// <summary>Something that an activation runs under its rules of interleaving: a call or a timer's tick.</summary>
public abstract class GrainRequest
{
    private protected GrainRequest()
    {
    }

    /// <summary>True: may start while another request runs.</summary>
    internal abstract bool Interleaves { get; }

    /// <summary>True: running it makes the activation count as used.</summary>
    internal abstract bool KeepsAlive { get; }

    /// <summary>True: its caller no longer waits, so it need not start.</summary>
    internal abstract bool IsAbandoned { get; }

    /// <summary>Starts it, in a turn of the activation. False: it has not ended yet and will report to the activation.</summary>
    internal abstract bool Start(Activation activation);

    /// <summary>It cannot start in this turn.</summary>
    internal abstract void Park();

    /// <summary>Ends it without running.</summary>
    internal abstract void Fail(Exception exception);

    /// <summary>Sends it on because the activation that had it is gone.</summary>
    internal abstract void Reroute();
}
