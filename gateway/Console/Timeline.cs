using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Cluster.Contracts.Options;

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

/// <summary>The page for operators at <c>/console</c>, and the timeline that it shows.</summary>
[Section("Console")]
public sealed class ConsoleOptions
{
    /// <summary>False: there is no page. Default true: the page has no data of its own, and asks only for data that its user may see.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Events that a gateway keeps in memory, 10 to 100,000. Default 1000. More reach further back, about 500 bytes each.</summary>
    [Range(10, 100_000)]
    public int Events { get; set; } = 1000;

    /// <summary>
    /// Streams of events that are open at a gateway at once, 1 to 100,000. Default 128. More take more of its connections, each for as long as its client likes. Fewer
    /// refuse consoles.
    /// </summary>
    [Range(1, 100_000)]
    public int Streams { get; set; } = 128;

    /// <summary>
    /// Of these, streams of one client, or of one address where no identities are asked for, 1 to 100,000. Default 16. More let one client take what others need. Fewer
    /// refuse people that share a key.
    /// </summary>
    [Range(1, 100_000)]
    public int StreamsPerClient { get; set; } = 16;
}
