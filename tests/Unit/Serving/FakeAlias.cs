using Cluster.Contracts.Registry;
using Cluster.Grains.Aliases;

namespace Cluster.Unit.Serving;

/// <summary>An alias that can be rolled back, and tells of it.</summary>
internal sealed class FakeAlias(string alias, IAliases aliases) : IAliasGrain
{
    private readonly List<TrafficVerdict> _verdicts = [];
    private TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when it is asked to roll back next.</summary>
    public Task Asked => _asked.Task;

    /// <summary>What it throws when it is asked to; null for nothing.</summary>
    public Exception? Error { get; set; }

    public IReadOnlyList<TrafficVerdict> Verdicts
    {
        get
        {
            lock (_verdicts)
            {
                return [.. _verdicts];
            }
        }
    }

    public ValueTask<AliasState?> RollBackAsync(TrafficVerdict verdict)
    {
        lock (_verdicts)
        {
            _verdicts.Add(verdict);
        }

        if (Error is null && aliases.TryGet(alias, out var state))
        {
            aliases.Publish(TrafficPlan.RollBack(state, verdict, DateTimeOffset.UnixEpoch));
        }

        Interlocked.Exchange(ref _asked, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        return Error is null ? GetAsync() : throw Error;
    }

    public ValueTask<AliasState?> GetAsync() => ValueTask.FromResult(aliases.TryGet(alias, out var state) ? state : null);

    public ValueTask<AliasOutcome> SetAsync(AliasChange change) => throw new NotSupportedException("it is not set here");

    public ValueTask<AliasState> SetTrafficAsync(TrafficRule? rule) => throw new NotSupportedException("it is not set here");

    public ValueTask DeleteAsync(string? owner) => throw new NotSupportedException("it is not deleted here");

    public ValueTask<AliasState?> WaitAsync(string target, CancellationToken cancellationToken) => GetAsync();

    public ValueTask ReviewAsync(string target, string? failure) => ValueTask.CompletedTask;

    public ValueTask RestoreAsync(string model) => ValueTask.CompletedTask;
}
