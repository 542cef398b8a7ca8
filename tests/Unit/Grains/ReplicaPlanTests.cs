using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Unit.Clustering;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ReplicaPlanTests
{
    /// <summary>What can happen to a version, with a number that picks the replica, the silo and the content.</summary>
    private enum Step
    {
        BeginReplace,
        BeginAdd,
        BeginOnDemand,
        FinishLoad,
        FailLoad,
        Evict,
        EndLate,
        LoseSilo,
        Remove,
    }

    private static readonly Gen<(Step Step, int Pick)> AnyStep =
        from step in Gen.Elements(Enum.GetValues<Step>())
        from pick in Gen.Choose(0, 1000)
        select (step, pick);

    [Fact]
    public void Sequence_OfAnything_KeepsTheRules() => Prop.ForAll(
        Gen.ListOf(AnyStep).Resize(60).ToArbitrary(), steps => new World().Run(steps)).QuickCheckThrowOnFailure();

    [Fact]
    public void Ended_AReplicaThatServes_LeavesTheOthersAndItsStatistics()
    {
        var state = ReplicaStates.Serving(0, 1) is var serving
            ? serving with { Loaded = serving.Loaded.SetItem(1, serving.Loaded[1] with { Target = 2 }) }
            : null!;

        var one = ReplicaPlan.Ended(state, 1, ReplicaStates.At(0), new ReplicaStatistics { InferenceCount = 1 });
        var none = ReplicaPlan.Ended(one, 1, ReplicaStates.At(1), new ReplicaStatistics { InferenceCount = 2 });

        Assert.Equal([1], one.Loaded[1].Replicas.Select(replica => replica.Number));
        Assert.Equal(1, one.Loaded[1].Target);
        Assert.False(ReplicaPlan.IsOnDemand(one, 1));
        Assert.True(ReplicaPlan.IsOnDemand(none, 1));
        Assert.Equal(3, none.Past[1].Statistics!.InferenceCount);
    }

    [Fact]
    public void Ended_WhileItArrives_NeverServes()
    {
        var (state, replica) = ReplicaPlan.Arrive(ReplicaStates.Serving(0), 1, Silos.B);
        state = ReplicaPlan.Ended(state, 1, replica, new ReplicaStatistics());

        Assert.Equal([0], ReplicaPlan.Add(state, 1, [replica], []).Loaded[1].Replicas.Select(serving => serving.Number));
        Assert.True(ReplicaPlan.IsOnDemand(ReplicaPlan.Replace(state, 1, new LoadedVersion([replica], "r2", "s")), 1));
    }

    [Fact]
    public void Ended_AnotherSilosReplicaOfTheNumber_IsOfNoUse()
    {
        var state = ReplicaStates.Serving(0);

        Assert.Same(state, ReplicaPlan.Ended(state, 1, ReplicaStates.At(0, silo: 2), statistics: null));
    }

    [Fact]
    public void Begin_PublishedBefore_GivesOutGreaterNumbers()
    {
        var published = ModelPlan.Describe("m", ReplicaPlan.Arrive(ReplicaStates.Serving(3), 1, Silos.B).State);

        Assert.Equal(5, ReplicaPlan.Arrive(ReplicaPlan.Begin(new ModelGrainState(), published), 1, Silos.A).Replica.Number);
    }

    /// <summary>What really is in memory, beside the state that is told of it.</summary>
    private sealed class World
    {
        private readonly Dictionary<PlacedReplica, string> _memory = [];
        private readonly List<PlacedReplica> _ended = [];
        private ModelGrainState _state = new();
        private (ImmutableArray<PlacedReplica> Replicas, Step Kind)? _loading;
        private string _revision = "r0";

        public bool Run(IEnumerable<(Step Step, int Pick)> steps)
        {
            foreach (var (step, pick) in steps)
            {
                var before = _state;
                Do(step, pick);
                if (!Holds(before, step))
                {
                    return false;
                }
            }

            return true;
        }

        private ImmutableArray<PlacedReplica> Serving => ReplicaPlan.Serving(_state, 1);

        private void Do(Step step, int pick)
        {
            switch (step)
            {
                case Step.BeginReplace when _loading is null:
                    _revision = $"r{pick}";
                    Begin(Math.Max(1, Serving.Length), pick, step);
                    break;
                case Step.BeginAdd when _loading is null && !Serving.IsEmpty && _state.Loaded[1].Revision == _revision:
                    Begin(1 + (pick % 2), pick, step);
                    break;
                case Step.BeginOnDemand when _loading is null && ReplicaPlan.IsOnDemand(_state, 1):
                    Begin(1, pick, step);
                    break;
                case Step.FinishLoad when _loading is { } loading:
                    Finish(loading.Replicas, loading.Kind);
                    break;
                case Step.FailLoad when _loading is { } loading:
                    _state = ReplicaPlan.GiveUp(_state, 1, loading.Replicas);
                    _loading = null;
                    break;
                case Step.Evict when _memory.Count > 0:
                    End(_memory.Keys.OrderBy(replica => replica.Number).ElementAt(pick % _memory.Count));
                    break;
                case Step.EndLate when _ended.Count > 0:
                    End(_ended[pick % _ended.Count]);
                    break;
                case Step.LoseSilo:
                    Lose(Silos.At(1 + (pick % 3)));
                    break;
                case Step.Remove when !Serving.IsEmpty:
                    var removed = Serving[pick % Serving.Length];
                    _state = ReplicaPlan.Remove(_state, 1, removed);
                    _memory.Remove(removed);
                    break;
            }
        }

        private void Begin(int count, int pick, Step kind)
        {
            var replicas = new List<PlacedReplica>();
            for (var number = 0; number < count; number++)
            {
                (_state, var replica) = ReplicaPlan.Arrive(_state, 1, Silos.At(1 + ((pick + number) % 3)));
                replicas.Add(replica);
            }

            _loading = ([.. replicas], kind);
        }

        private void Finish(ImmutableArray<PlacedReplica> replicas, Step kind)
        {
            // A replica on a silo that was lost meanwhile arrives no more.
            foreach (var replica in replicas.Where(ReplicaPlan.Arriving(_state, 1).Contains))
            {
                _memory[replica] = _revision;
            }

            _loading = null;
            var replaced = Serving;
            if (kind == Step.BeginAdd && (!_state.Loaded.TryGetValue(1, out var now) || now.Revision != _revision))
            {
                _state = ReplicaPlan.GiveUp(_state, 1, replicas);
                return;
            }

            _state = kind == Step.BeginAdd
                ? ReplicaPlan.Add(_state, 1, replicas, without: [])
                : ReplicaPlan.Replace(_state, 1, new LoadedVersion(replicas, _revision, "s"));
            foreach (var ended in replaced.Except(Serving))
            {
                _memory.Remove(ended);
            }
        }

        private void End(PlacedReplica replica)
        {
            _memory.Remove(replica);
            _ended.Add(replica);
            _state = ReplicaPlan.Ended(_state, 1, replica, new ReplicaStatistics());
        }

        private void Lose(SiloAddress silo)
        {
            foreach (var replica in _memory.Keys.Where(replica => replica.Silo == silo).ToList())
            {
                _memory.Remove(replica);
            }

            _state = ReplicaPlan.Lose(_state, [silo]);
        }

        private bool Holds(ModelGrainState before, Step step)
        {
            var arriving = ReplicaPlan.Arriving(_state, 1);
            var known = Known(before).ToHashSet();
            return Serving.All(_memory.ContainsKey)
                && Serving.Select(replica => _memory[replica]).Distinct().Count() <= 1
                && !Serving.Intersect(arriving).Any()
                && Serving.Concat(arriving).Where(replica => !known.Contains(replica)).All(replica => replica.Number >= before.NextReplica.GetValueOrDefault(1))
                && (_state.Loaded.ContainsKey(1) || !before.Loaded.ContainsKey(1))
                && Serving.Select(replica => replica.Number).SequenceEqual(Serving.Select(replica => replica.Number).Order())
                && (step is not (Step.BeginReplace or Step.BeginAdd or Step.BeginOnDemand or Step.FailLoad) || ReplicaPlan.Serving(before, 1).SequenceEqual(Serving));
        }

        private static IEnumerable<PlacedReplica> Known(ModelGrainState state) => ReplicaPlan.Serving(state, 1).Concat(ReplicaPlan.Arriving(state, 1));
    }
}
