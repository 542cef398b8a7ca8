using System.Diagnostics.CodeAnalysis;

namespace Cluster.Unit.Runtime;

/// <summary>A map with one entry, which changes, and says so on another thread, while the first reader still looks at what it was.</summary>
internal sealed class OvertakenMap(string key, byte[] first, byte[] second) : IReplicatedMap
{
    /// <summary>For a listener that does not wait for the first reader; one that does is told afterwards.</summary>
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(200);

    private readonly ReplicatedEntry _first = new(key, 1, first, "life");
    private readonly ReplicatedEntry _second = new(key, 2, second, "life");
    private int _reads;

    public event Action<string>? Changed;

    public string Name => "map";

    /// <summary>Ends when the change has been told.</summary>
    public Task Told { get; private set; } = Task.CompletedTask;

    public IEnumerable<ReplicatedEntry> All => throw new NotSupportedException();

    public bool TryGet(string key, [NotNullWhen(true)] out ReplicatedEntry? entry)
    {
        entry = _second;
        if (Interlocked.Increment(ref _reads) == 1)
        {
            entry = _first;
            Told = Task.Factory.StartNew(() => Changed?.Invoke(key), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Told.Wait(HeadStart);
        }

        return true;
    }

    public void Publish(string key, byte[]? content) => throw new NotSupportedException();

    public ValueTask<ReplicaWrite> WriteAsync(string key, ReplicaVersion expected, byte[]? content, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public ValueTask RefreshAsync(string key, CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
