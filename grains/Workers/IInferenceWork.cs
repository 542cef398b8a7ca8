using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>Something for an inference thread to do. It must not throw: nobody is there to catch.</summary>
internal interface IInferenceWork
{
    /// <summary>Does it, and returns what became due through it, or null.</summary>
    IInferenceWork? Execute(SessionRunner runner);
}
