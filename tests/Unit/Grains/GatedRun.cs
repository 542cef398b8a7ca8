using Cluster.Grains.Sessions;

namespace Cluster.Unit.Grains;

/// <summary>A run of a <see cref="GatedModel"/>.</summary>
/// <param name="number">The request's first byte.</param>
internal sealed class GatedRun(int number)
{
    private readonly TaskCompletionSource<RunTimes> _end = new();

    public int Number => number;

    /// <summary>The first bytes of all its requests.</summary>
    public int[] Numbers { get; init; } = [number];

    public int Rows { get; init; } = 1;

    /// <summary>The managed thread that runs it.</summary>
    public int Thread { get; } = Environment.CurrentManagedThreadId;

    /// <summary>Ends it well, having taken <paramref name="milliseconds"/> in the graph.</summary>
    public void Finish(long milliseconds = 1, long rows = 1) => _end.TrySetResult(new RunTimes(1000, milliseconds * 1_000_000, 2000, rows));

    public void Fail(Exception exception) => _end.TrySetException(exception);

    public RunTimes Wait() => _end.Task.WaitAsync(Tests.Common.Wait.Limit).GetAwaiter().GetResult();
}
