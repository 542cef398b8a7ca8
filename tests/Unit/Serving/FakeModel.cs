using Cluster.Contracts.Models;

namespace Cluster.Unit.Serving;

/// <summary>A model's grain that keeps what it was asked for.</summary>
internal sealed class FakeModel : IModelGrain
{
    private readonly Lock _lock = new();
    private readonly List<(ModelRegistration Registration, bool RetryFailed)> _applied = [];
    private readonly List<string> _calls = [];

    public IReadOnlyList<(ModelRegistration Registration, bool RetryFailed)> Applied
    {
        get
        {
            lock (_lock)
            {
                return [.. _applied];
            }
        }
    }

    public IReadOnlyList<string> Calls => _calls;

    /// <summary>What each application awaits.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _applied.Add((registration, retryFailed));
        }

        await Gate;
    }

    public ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        _calls.Add("load");
        return default;
    }

    public ValueTask WakeAsync(CancellationToken cancellationToken)
    {
        _calls.Add("wake");
        return default;
    }

    public ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        _calls.Add("unload");
        return default;
    }

    public ValueTask ReportAsync(CopyReport report) => throw new NotSupportedException("no copy reports here");

    public ValueTask ReportFailureAsync(CopyFailure failure) => throw new NotSupportedException("no copy reports here");

    public ValueTask<UnloadedCopy> GetUnloadedAsync(long version) => ValueTask.FromResult(new UnloadedCopy(null, null));
}
