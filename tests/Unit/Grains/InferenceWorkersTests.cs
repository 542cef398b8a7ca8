using System.Collections.Concurrent;
using System.Globalization;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class InferenceWorkersTests
{
    private readonly ConcurrentQueue<string> _done = new();
    private readonly ManualTimeProvider _time = new();
    private readonly ProcessorShares _shares;
    private readonly ProcessorShare _share;
    private readonly ProcessorShare _overdrawn;

    public InferenceWorkersTests()
    {
        _shares = new ProcessorShares(_time, processors: 1);
        (_share, _overdrawn) = (_shares.Create(), _shares.Create());
        _share.Ran(1);
        _overdrawn.Ran(1_000_000_000);
    }

    [Fact]
    public async Task Submit_OneAfterTheOther_ReusesTheThreadThatBecameIdleLast()
    {
        using var workers = Workers(threads: 4);
        var threads = new HashSet<int>();
        for (var i = 0; i < 20; i++)
        {
            var work = new Work(this, "work");
            workers.Submit(work);
            work.Finish();
            threads.Add(await work.Done.Soon());

            // The thread is idle again once it does what was submitted behind: with one thread there is no other.
            var idle = new Work(this, "idle");
            workers.Submit(idle);
            idle.Finish();
            threads.Add(await idle.Done.Soon());
        }

        Assert.InRange(threads.Count, 1, 2);
    }

    [Fact]
    public async Task Submit_MoreThanThreads_WaitsInOrder()
    {
        using var workers = Workers(threads: 1);
        var first = new Work(this, "0");
        workers.Submit(first);
        await first.Started.Soon();
        var waiting = Enumerable.Range(1, 5).Select(number => new Work(this, $"{number}")).ToList();
        waiting.ForEach(work => work.Finish());
        waiting.ForEach(workers.Submit);
        Assert.Empty(_done);

        first.Finish();

        await Task.WhenAll(waiting.Select(work => work.Done)).Soon();
        Assert.Equal(["0", "1", "2", "3", "4", "5"], _done);
    }

    [Fact]
    public async Task Submit_UpToTheLimit_RunsSideBySide()
    {
        using var workers = Workers(threads: 3);
        var works = Enumerable.Range(0, 4).Select(number => new Work(this, $"{number}")).ToList();
        works.ForEach(workers.Submit);

        await Task.WhenAll(works[0].Started, works[1].Started, works[2].Started).Soon();
        Assert.False(works[3].Started.IsCompleted);
        works[1].Finish();
        await works[3].Started.Soon();

        works.ForEach(work => work.Finish());
        var threads = await Task.WhenAll(works.Select(work => work.Done)).Soon();
        Assert.Equal(threads[1], threads[3]);
    }

    [Fact]
    public async Task Execute_FollowUpWithOthersWaiting_GoesBehindThem()
    {
        using var workers = Workers(threads: 1);
        var followUp = new Work(this, "follow-up");
        var first = new Work(this, "first", followUp);
        var waiting = new Work(this, "waiting");
        workers.Submit(first);
        await first.Started.Soon();
        workers.Submit(waiting);
        waiting.Finish();
        followUp.Finish();

        first.Finish();

        await followUp.Done.Soon();
        Assert.Equal(["first", "waiting", "follow-up"], _done);
    }

    [Fact]
    public async Task Execute_FollowUpAlone_RunsOnTheSameThread()
    {
        using var workers = Workers(threads: 4);
        var followUp = new Work(this, "follow-up");
        var first = new Work(this, "first", followUp);
        followUp.Finish();
        first.Finish();

        workers.Submit(first);

        Assert.Equal(await first.Done.Soon(), await followUp.Done.Soon());
    }

    [Fact]
    public async Task Dispose_WithWorkWaiting_DoesItAndEndsTheThreads()
    {
        var workers = Workers(threads: 1);
        var followUp = new Work(this, "follow-up");
        var first = new Work(this, "first", followUp);
        var waiting = new Work(this, "waiting");
        workers.Submit(first);
        workers.Submit(waiting);
        await first.Started.Soon();

        var disposing = Task.Run(workers.Dispose);
        Assert.False(disposing.IsCompleted);
        first.Finish();
        waiting.Finish();
        followUp.Finish();

        await disposing.Soon();
        Assert.Equal(["first", "waiting", "follow-up"], _done);
        Assert.Throws<ObjectDisposedException>(() => workers.Submit(new Work(this, "late")));
        workers.Dispose();
    }

    [Fact]
    public async Task TryEnd_RunGoesOn_IsFalseAtTheLimitAndTrueOnceItHasEnded()
    {
        var workers = Workers(threads: 2);
        var (idle, endless) = (new Work(this, "idle"), new Work(this, "endless"));
        workers.Submit(endless);
        await endless.Started.Soon();
        workers.Submit(idle);
        idle.Finish();
        await idle.Done.Soon();

        Assert.False(await Task.Run(() => workers.TryEnd(TimeSpan.Zero)).Soon());

        endless.Finish();
        Assert.True(await Task.Run(() => workers.TryEnd(Timeout.InfiniteTimeSpan)).Soon());
    }

    [Fact]
    public async Task TryEnd_RunOnItsCallersThread_IsWaitedFor()
    {
        var workers = Workers(threads: 2);
        workers.RunBegins();
        Assert.False(workers.TryEnd(TimeSpan.Zero));

        var ending = Task.Run(() => workers.TryEnd(TimeSpan.FromMinutes(1)));
        await Task.Yield();
        Assert.False(ending.IsCompleted);
        workers.RunEnds();

        Assert.True(await ending.Soon());
    }

    [Fact]
    public async Task TryEnd_WithoutTimeAndWithoutRuns_Ends()
    {
        var workers = Workers(threads: 2);
        var work = new Work(this, "work");
        workers.Submit(work);
        work.Finish();
        await work.Done.Soon();
        await Task.Run(() => workers.TryEnd(TimeSpan.FromMinutes(1))).Soon();

        Assert.True(workers.TryEnd(TimeSpan.Zero));
    }

    [Fact]
    public async Task Dispose_IdleThreads_Ends()
    {
        var workers = Workers(threads: 2);
        var work = new Work(this, "work");
        workers.Submit(work);
        work.Finish();
        await work.Done.Soon();

        await Task.Run(workers.Dispose).Soon();
    }

    [Fact]
    public async Task Dispose_AfterTryEndOfThreadsThatYielded_DoesNothing()
    {
        var workers = Workers(threads: 2);
        var yielding = new Work(this, "yielding") { Share = _overdrawn };
        workers.Submit(yielding);
        yielding.Finish();
        await yielding.Done.Soon();

        Assert.True(await Task.Run(() => workers.TryEnd(TimeSpan.FromMinutes(1))).Soon());
        await Task.Run(workers.Dispose).Soon();
    }

    [Fact]
    public async Task Submit_OfAReplicaThatTookMoreThanItsShare_RunsOnAThreadThatYields()
    {
        using var workers = Workers(threads: 2);
        var (prompt, yielding) = (new Work(this, "prompt"), new Work(this, "yielding") { Share = _overdrawn });
        foreach (var work in new[] { prompt, yielding })
        {
            work.Finish();
            workers.Submit(work);
            await work.Done.Soon();
        }

        Assert.Equal((0, 10), (prompt.Niceness, yielding.Niceness));
    }

    [Fact]
    public async Task DoPromptly_OnAThreadThatYields_IsDoneByOneThatDoesNot()
    {
        using var workers = Workers(threads: 2);
        var niceness = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = new Work(this, "yielding") { Share = _overdrawn, Then = () => workers.DoPromptly(() => niceness.SetResult(Niceness())) };
        work.Finish();

        workers.Submit(work);

        Assert.Equal(0, await niceness.Task.Soon());
        Assert.Equal(10, work.Niceness);
    }

    [Fact]
    public async Task Submit_OverdrawnBeyondTheProcessors_WaitsWhileOthersRun()
    {
        using var workers = Workers(threads: 3);
        var hot = Enumerable.Range(0, 2).Select(number => new Work(this, $"hot {number}") { Share = _overdrawn }).ToList();
        var quiet = new Work(this, "quiet");
        hot.ForEach(workers.Submit);
        await hot[0].Started.Soon();

        workers.Submit(quiet);

        await quiet.Started.Soon();
        Assert.False(hot[1].Started.IsCompleted);
        hot[0].Finish();
        await hot[1].Started.Soon();
        hot[1].Finish();
        quiet.Finish();
        await Task.WhenAll(hot[1].Done, quiet.Done).Soon();
    }

    [Fact]
    public async Task Execute_OneThreadAndMuchWorkWithinTheShare_OverdrawnWorkComesAfterEight()
    {
        using var workers = Workers(threads: 1);
        var first = new Work(this, "first");
        var hot = new Work(this, "hot") { Share = _overdrawn };
        var quiet = Enumerable.Range(0, 10).Select(number => new Work(this, $"{number}")).ToList();
        workers.Submit(first);
        await first.Started.Soon();
        foreach (var work in quiet.Prepend(hot))
        {
            work.Finish();
            workers.Submit(work);
        }

        first.Finish();

        await Task.WhenAll(quiet.Append(hot).Select(static work => work.Done)).Soon();
        Assert.Equal(["first", "0", "1", "2", "3", "4", "5", "6", "7", "hot", "8", "9"], _done);
    }

    [Fact]
    public async Task Execute_FollowUpLeavesAFullLane_WhatWaitsThereIsStartedToo()
    {
        using var workers = Workers(threads: 4);
        var followUp = new Work(this, "follow-up");
        var first = new Work(this, "first", followUp) { Share = _overdrawn };
        var waiting = new Work(this, "waiting") { Share = _overdrawn };
        workers.Submit(first);
        await first.Started.Soon();
        workers.Submit(waiting);

        first.Finish();

        await Task.WhenAll(followUp.Started, waiting.Started).Soon();
        followUp.Finish();
        waiting.Finish();
        await Task.WhenAll(followUp.Done, waiting.Done).Soon();
    }

    [Fact]
    public async Task Execute_FollowUpOfAnotherLane_GoesToAThreadOfThatLane_AlsoWhileAllEnd()
    {
        var workers = Workers(threads: 2);
        var last = new Work(this, "last");
        var followUp = new Work(this, "follow-up", last) { Share = _overdrawn };
        var first = new Work(this, "first", followUp);
        workers.Submit(first);
        await first.Started.Soon();
        var disposing = Task.Run(workers.Dispose);

        first.Finish();
        followUp.Finish();
        last.Finish();

        await disposing.Soon();
        Assert.Equal(["first", "follow-up", "last"], _done);
        Assert.Equal((0, 10, 0), (first.Niceness, followUp.Niceness, last.Niceness));
    }

    [Fact]
    public async Task Replace_WorkThatDoesNotEnd_AnotherThreadDoesWhatWaits()
    {
        using var workers = Workers(threads: 1);
        var followUp = new Work(this, "follow-up");
        var stuck = new Work(this, "stuck", followUp);
        var waiting = new Work(this, "waiting");
        workers.Submit(stuck);
        await stuck.Started.Soon();
        workers.Submit(waiting);

        workers.Replace(stuck);
        workers.Replace(stuck);
        await waiting.Started.Soon();
        var later = new Work(this, "later");
        workers.Submit(later);
        Assert.False(later.Started.IsCompleted);
        waiting.Finish();
        await later.Started.Soon();

        // It ends after all: what became due through it is the others' to do.
        stuck.Finish();
        var thread = await stuck.Done.Soon();
        later.Finish();
        followUp.Finish();
        Assert.NotEqual(thread, await followUp.Done.Soon());
        Assert.Equal(["waiting", "stuck", "later", "follow-up"], _done);
    }

    [Fact]
    public async Task TryEnd_WorkThatDoesNotEndIsReplaced_IsFalse()
    {
        using var workers = Workers(threads: 1);
        var stuck = new Work(this, "stuck");
        workers.Submit(stuck);
        await stuck.Started.Soon();

        workers.Replace(stuck);

        Assert.False(workers.TryEnd(TimeSpan.Zero));
        stuck.Finish();
    }

    /// <summary>Of the calling thread; proc(5): the nineteenth field, the seventeenth after the name in parentheses.</summary>
    private static int Niceness()
    {
        var stat = File.ReadAllText("/proc/thread-self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }

    private InferenceWorkers Workers(int threads) => new(new InferenceOptions { Threads = threads }, _time, processors: 1);

    /// <summary>Work that ends when the test says so, and tells which thread did it.</summary>
    private sealed class Work(InferenceWorkersTests test, string name, IInferenceWork? followUp = null) : IInferenceWork
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _finish = new();
        private readonly TaskCompletionSource<int> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ProcessorShare Share { get; init; } = test._share;

        public long? Began => null;

        /// <summary>What it does before it is done.</summary>
        public Action? Then { get; init; }

        /// <summary>Of the thread that did it, 0 to 19.</summary>
        public int Niceness { get; private set; }

        public Task Started => _started.Task;

        public void Charge(double cost)
        {
            // Its callers share nothing.
        }

        public Task<int> Done => _done.Task;

        public void Finish() => _finish.TrySetResult();

        public IInferenceWork? Execute()
        {
            _started.SetResult();
            _finish.Task.WaitAsync(Wait.Limit).GetAwaiter().GetResult();
            test._done.Enqueue(name);

            Niceness = InferenceWorkersTests.Niceness();
            Then?.Invoke();
            _done.SetResult(Environment.CurrentManagedThreadId);
            return followUp;
        }
    }
}
