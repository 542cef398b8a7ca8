using Cluster.Grains.Trust;
using Cluster.Tests.Common;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Unit.Grains;

/// <summary>Opens a model's file when the test lets it: what loads it waits, at a point that the test knows.</summary>
internal sealed class HeldOpening : IDisposable
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _go = new();
    private volatile SafeFileHandle? _opened;

    /// <summary>A load is about to open the file.</summary>
    public Task Begun => _begun.Task;

    public SafeFileHandle Open(string path)
    {
        _begun.TrySetResult();
        _go.Wait(Wait.Limit);
        return _opened = CheckedFile.Open(path);
    }

    public void Release() => _go.Set();

    /// <summary>Returns when the file has been read and closed.</summary>
    public async Task ClosedAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (_opened is not { IsClosed: true })
        {
            await timer.WaitForNextTickAsync().AsTask().Soon("the end of the file's reading");
        }
    }

    public void Dispose() => _go.Dispose();
}
