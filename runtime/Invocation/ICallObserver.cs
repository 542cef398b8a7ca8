namespace Cluster.Runtime.CodeGeneration;

/// <summary>The network's side of a call.</summary>
internal interface ICallObserver
{
    /// <summary>The call has its end, from wherever. Called on the thread that ended it, possibly twice; must not block.</summary>
    void OnSettled(GrainCall call);
}
