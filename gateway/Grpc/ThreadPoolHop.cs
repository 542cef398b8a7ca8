using System.Runtime.CompilerServices;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Awaited to leave a foreign thread, such as one that runs inference and must not be kept busy with sockets. On a thread of the pool
/// it costs one check.
/// </summary>
internal readonly struct ThreadPoolHop : ICriticalNotifyCompletion
{
    public bool IsCompleted => Thread.CurrentThread.IsThreadPoolThread;

    public ThreadPoolHop GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => ThreadPool.QueueUserWorkItem(static action => action(), continuation, preferLocal: false);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
