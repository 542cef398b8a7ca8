using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository;

namespace Cluster.Unit.Silo;

/// <summary>A repository that holds what the test says.</summary>
internal sealed class FakeRepository : IModelRepository
{
    private readonly Lock _lock = new();
    private ImmutableSortedDictionary<string, ModelRegistration> _models = ImmutableSortedDictionary<string, ModelRegistration>.Empty;
    private TaskCompletionSource _nextScan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _scans;

    public int Scans => Volatile.Read(ref _scans);

    public ImmutableArray<string> Problems { get; set; } = [];

    /// <summary>Thrown by scans while it is set.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Completes with the scan that begins next.</summary>
    public Task NextScan
    {
        get
        {
            lock (_lock)
            {
                return _nextScan.Task;
            }
        }
    }

    public void Put(string name, string revision)
    {
        lock (_lock)
        {
            _models = _models.SetItem(name, new ModelRegistration { Name = name, Versions = [new ModelVersionSource(1, "/m", revision)] });
        }
    }

    public void PutBroken(string name, string problem, string versionProblem)
    {
        lock (_lock)
        {
            _models = _models.SetItem(
                name, new ModelRegistration { Name = name, Problem = problem, Versions = [new ModelVersionSource(1, "/m", "1", versionProblem)] });
        }
    }

    public void Remove(string name)
    {
        lock (_lock)
        {
            _models = _models.Remove(name);
        }
    }

    public RepositorySnapshot Scan(string model) => Scan();

    public RepositorySnapshot Scan()
    {
        lock (_lock)
        {
            _scans++;
            _nextScan.SetResult();
            _nextScan = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return Failure is null ? new RepositorySnapshot(_models, Problems, []) : throw Failure;
        }
    }
}
