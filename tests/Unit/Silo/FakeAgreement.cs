using System.Collections.Immutable;
using Cluster.Grains.Cluster;
using Cluster.Grains.Repository;

namespace Cluster.Unit.Silo;

/// <summary>Other silos whose repositories hold what the test says; none at first.</summary>
internal sealed class FakeAgreement(ControllerDuty duty) : IRepositoryAgreement
{
    public List<FakeRepository> Others { get; } = [];

    public int Asked { get; private set; }

    public bool HasLeft { get; private set; }

    /// <summary>What asking the others ends with; null for their answers.</summary>
    public Exception? Failure { get; set; }

    public bool IsAlone => Others.Count == 0;

    public Task<RepositoryVote> AskAsync(ImmutableArray<string> models, RepositorySnapshot snapshot, CancellationToken cancellationToken)
    {
        Asked++;
        return Failure is not null
            ? Task.FromException<RepositoryVote>(Failure)
            : Task.FromResult(RepositoryVote.Count(models, Fingerprints(models, snapshot), [.. Others.Select(other => Fingerprints(models, other.Scan()))]));
    }

    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        HasLeft = true;
        duty.End();
        return Task.CompletedTask;
    }

    private static ImmutableArray<string?> Fingerprints(ImmutableArray<string> models, RepositorySnapshot snapshot) =>
        [.. models.Select(model => RepositoryVote.Fingerprint(snapshot.Models.GetValueOrDefault(model)))];
}
