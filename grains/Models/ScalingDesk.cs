using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Scaling;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>Takes what a model's replicas report of their load, and decides by <see cref="ReplicaScaling"/>. Used in the turns of the model's grain alone.</summary>
internal sealed class ScalingDesk(string model, ModelServices services, ModelKeeper keeper, ReplicaWork work, ILogger logger)
{
    private readonly Dictionary<long, UtilizationBoard> _boards = [];
    private readonly Dictionary<long, ScalingDecision> _decisions = [];
    private DateTimeOffset _usesKept;

    private ModelGrainState State => keeper.State;

    /// <summary>Takes a report of a replica that serves; whether replicas are to come or go by it.</summary>
    public bool Take(UtilizationReport load, bool mayDecide)
    {
        var version = load.Replica.Version;
        if (!ReplicaPlan.Serving(State, version).Any(replica => replica.Number == load.Replica.Number))
        {
            return false;
        }

        var now = services.Time.GetUtcNow();
        var isLasting = load.RequestsPerMinute > 0 && State.Uses.GetValueOrDefault(version)?.History.IsLasting(now, services.ScalingOptions) == true;
        Board(version).Take(load, now);
        if (load.RequestsPerMinute > 0)
        {
            keeper.Note(Use(State, version, now - load.Idle));
        }

        return mayDecide && !services.Silos.IsAlone && ModelPlan.IsCurrent(State, version) && Decide(version, isLasting, now);
    }

    /// <summary>Writes when the model was used, once in a while.</summary>
    public async Task SaveUsesAsync()
    {
        var now = services.Time.GetUtcNow();
        if (now - _usesKept >= services.ReplicaOptions.UseKeptEvery)
        {
            _usesKept = now;
            await keeper.SaveAsync();
        }
    }

    /// <summary>The state after a use.</summary>
    public ModelGrainState Use(ModelGrainState state, long version, DateTimeOffset used)
    {
        var known = state.Uses.GetValueOrDefault(version);
        var history = (known?.History ?? default).Used(services.Time.GetUtcNow(), services.ScalingOptions);
        var use = new VersionUse(known is not null && known.LastUsed > used ? known.LastUsed : used, history);
        return use == known ? state : state with { Uses = state.Uses.SetItem(version, use) };
    }

    /// <summary>What was decided for a version and is not carried out yet; asked once.</summary>
    public ScalingDecision Decided(long version) => _decisions.Remove(version, out var decision) ? decision : ScalingDecision.None;

    private bool Decide(long version, bool isLasting, DateTimeOffset now)
    {
        var board = Board(version);
        ImmutableArray<int> replicas = [.. ReplicaPlan.Serving(State, version).Select(static replica => replica.Number)];
        var source = State.Registration!.Versions.First(candidate => candidate.Version == version);
        var silos = work.Eligible(source);
        var bounds = State.Registration.CopyBounds();
        var input = new ScalingInput
        {
            Copies = board.Read(replicas, now, services.ReplicaOptions.LoadReportLife),
            Min = Math.Min(bounds.Least, silos),
            Max = bounds.Most > 0 ? Math.Min(bounds.Most, silos) : silos,
            Candidates = work.Candidates(source),
            Silos = silos,
            FreeShare = services.Silos.FreeShare(),
            OldestIdle = services.Silos.OldestIdle(),
            IsLasting = isLasting,
            SinceAdded = now - board.Added,
            SinceRemoved = now - board.Removed,
        };
        var decision = ReplicaScaling.Decide(input, services.ScalingOptions);
        if (decision == ScalingDecision.None)
        {
            return false;
        }

        var removed = decision.Remove is null ? 0 : 1;
        Log.Scales(logger, version, model, decision.Add, removed, decision.Reason);
        board.Added = decision.Add > 0 ? now : board.Added;
        board.Removed = removed > 0 ? now : board.Removed;
        var loaded = State.Loaded[version] with { Target = Math.Max(1, replicas.Length + decision.Add - removed) };
        keeper.Note(State with { Loaded = State.Loaded.SetItem(version, loaded) });
        _decisions[version] = decision;
        return true;
    }

    private UtilizationBoard Board(long version) => _boards.TryGetValue(version, out var board) ? board : _boards[version] = new UtilizationBoard();
}
