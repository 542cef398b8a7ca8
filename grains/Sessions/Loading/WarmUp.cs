using System.Runtime.ExceptionServices;
using Cluster.Grains.Memory;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>
/// Runs a new session before it serves: once, and then once in each of its slots at the same time. So no client's request is the first to touch its weights, or waits
/// while ONNX Runtime lays out buffers. Runs in all slots are for medium run times. Longer runs gain too little from them, shorter ones less than the threads cost.
/// </summary>
internal sealed class WarmUp(TimeProvider time)
{
    /// <summary>Longer is ended: a model that takes this long gains nothing from it, and its load must not wait.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>A first run that is shorter is the only one.</summary>
    public TimeSpan LeastForSlots { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>A first run that is longer is the only one.</summary>
    public TimeSpan MostForSlots { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <param name="slots">Runs at once, at least 1; no more than there are processors are run.</param>
    /// <param name="ran">Told the most bytes that each run took, by any thread.</param>
    /// <returns>How many runs there were, and how long the shortest took.</returns>
    /// <exception cref="OnnxRuntimeException">The graph does not take the inputs, or a run was ended.</exception>
    public (int Count, TimeSpan Shortest) Run(
        InferenceSession session, WarmUpInputs inputs, string[] outputs, int slots, long maxRunBytes, Action<long> ran, CancellationToken cancellationToken)
    {
        using var options = new RunOptions();
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);

        // Disposed before the options: that waits for a callback which uses them.
        using var giveUp = either.Token.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        var first = RunOnce();
        var others = Math.Min(slots, Environment.ProcessorCount);
        if (others < 2 || first < LeastForSlots || first > MostForSlots)
        {
            return (1, first);
        }

        var runs = new Task<TimeSpan>[others];
        for (var i = 0; i < runs.Length; i++)
        {
            runs[i] = Task.Factory.StartNew(RunOnce, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        try
        {
            // All end before the inputs do, also where one fails.
            Task.WaitAll(runs, CancellationToken.None);
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
        }

        return (1 + runs.Length, runs.Min(static run => run.Result));

        TimeSpan RunOnce()
        {
            var start = time.GetTimestamp();
            var memory = new MemoryUse();
            memory.Begin(maxRunBytes);
            try
            {
                session.Run(options, inputs.Names, inputs.Values, outputs).Dispose();
            }
            finally
            {
                MemoryUse.End();
            }

            ran(memory.Peak);
            return time.GetElapsedTime(start);
        }
    }
}
