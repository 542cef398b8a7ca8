namespace Cluster.Bench.Measurement;

/// <summary>
/// Closed-loop load from one thread: a connection, or a thread that calls ONNX Runtime. Blocking calls throughout: on few cores they
/// cost the client the least, and the client shares the cores with what it measures.
/// </summary>
internal interface ILoadWorker : IDisposable
{
    /// <summary>
    /// Sends request after request until <see cref="LoadRecorder.Stopped"/>. What ends the worker early, such as a lost connection,
    /// is thrown and counted by the caller.
    /// </summary>
    void Run(LoadRecorder recorder);
}
