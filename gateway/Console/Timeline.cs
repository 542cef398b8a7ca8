using System.Globalization;

namespace Cluster.Gateway.Console;

/// <summary>The last events that this gateway saw, at most <see cref="ConsoleOptions.Events"/>. Safe from any thread.</summary>
internal sealed class Timeline(ConsoleOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<ClusterEvent> _events = new();
    private readonly string _process = time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
    private TaskCompletionSource _next = New();
    private long _last;

    /// <summary>Ends with the next event. Taken before <see cref="After"/>, it misses none.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Add(ClusterEvent happened)
    {
        lock (_lock)
        {
            _events.Enqueue(happened with { Number = ++_last, Time = time.GetUtcNow() });
            while (_events.Count > options.Events)
            {
                _events.Dequeue();
            }
        }

        Interlocked.Exchange(ref _next, New()).TrySetResult();
    }

    /// <summary>What is kept of the events after one, oldest first.</summary>
    public IReadOnlyList<ClusterEvent> After(long number)
    {
        lock (_lock)
        {
            return [.. _events.Where(happened => happened.Number > number)];
        }
    }

    /// <summary>Names an event among those of all gateways.</summary>
    public string IdOf(ClusterEvent happened) => string.Create(CultureInfo.InvariantCulture, $"{_process}-{happened.Number}");

    /// <summary>The number of the event that a client saw last; 0, before all of them, where it is another gateway's or none.</summary>
    public long NumberOf(string? id) =>
        id?.Split('-') is [var process, var number] && process == _process && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)
            ? parsed
            : 0;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
