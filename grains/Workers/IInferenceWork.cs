using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>Something for an inference thread to do. It must not throw: the thread has no caller to catch it.</summary>
internal interface IInferenceWork
{
    /// <summary>Does it, and returns what became due through it, or null.</summary>
    IInferenceWork? Execute(SessionRunner runner);
}
