using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Models;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class CopyPlanTests
{
    /// <summary>What can happen to a version, with a number that picks the copy, the silo and the content.</summary>
    private enum Step
    {
        BeginReplace,
        BeginAdd,
        FinishLoad,
        FailLoad,
        Evict,
        LoadOnDemand,
        ReportLate,
        LoseSilo,
        LeaveSilo,
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
    public void Take_AnotherSilosClockIsBehind_IsBelievedOnceTheFormerIsGone()
    {
        var state = CopyReports.Serving(0);
        state = CopyPlan.Take(state, CopyReports.Of(0, 900, inMemory: true, silo: "a"));

        Assert.Same(state, CopyPlan.Take(state, CopyReports.Of(0, 100, inMemory: true, silo: "b")));
        state = CopyPlan.Take(state, CopyReports.Of(0, 900, inMemory: false, silo: "a"));
        state = CopyPlan.Take(state, CopyReports.Of(0, 100, inMemory: true, silo: "b"));
        Assert.Equal("b", Assert.Single(CopyPlan.Placements(state, 1)).Silo);
        Assert.Same(state, CopyPlan.Take(state, CopyReports.Of(0, 900, inMemory: false, silo: "a")));
    }

    [Fact]
    public void Take_OneAmongOthersWithOtherContent_ServesNoMore()
    {
        var state = CopyPlan.Take(CopyReports.Serving(0, 1), CopyReports.Of(1, 5, inMemory: true, silo: "a") with { Revision = "other" });

        Assert.Equal([0], state.Loaded[1].Copies.ToArray());
        Assert.Equal("r", state.Loaded[1].Revision);
    }

    [Fact]
    public void Begin_PublishedBefore_GivesOutGreaterNumbers()
    {
        var published = ModelPlan.Describe("m", CopyPlan.Arrive(CopyReports.Serving(3), 1, 2).State);

        Assert.Equal([5], CopyPlan.Arrive(CopyPlan.Begin(new ModelGrainState(), published with { Versions = [.. published.Versions.Select(version => version with { Copies = [4] })] }), 1, 1).Copies.ToArray());
    }

    /// <summary>What really is in memory, beside the state that is told of it.</summary>
    private sealed class World
    {
        private readonly Dictionary<int, (string Silo, string Revision, long Epoch)> _memory = [];
        private readonly List<CopyReport> _sent = [];
        private ModelGrainState _state = new();
        private (ImmutableArray<int> Copies, bool IsReplacement)? _loading;
        private string _revision = "r0";
        private long _epoch;

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

        private ImmutableArray<int> Serving => _state.Loaded.GetValueOrDefault(1)?.Copies ?? [];

        private void Do(Step step, int pick)
        {
            switch (step)
            {
                case Step.BeginReplace when _loading is null:
                    _revision = $"r{pick}";
                    Begin(Math.Max(1, CopyPlan.InMemory(_state, 1).Length), isReplacement: true);
                    break;
                case Step.BeginAdd when _loading is null && !Serving.IsEmpty && _state.Loaded[1].Revision == _revision:
                    Begin(1 + (pick % 2), isReplacement: false);
                    break;
                case Step.FinishLoad when _loading is { } loading:
                    Finish(loading.Copies, loading.IsReplacement);
                    break;
                case Step.FailLoad when _loading is { } loading:
                    _state = CopyPlan.GiveUp(_state, 1, loading.Copies);
                    _loading = null;
                    break;
                case Step.Evict when _memory.Count > 0:
                    Evict(_memory.Keys.Order().ElementAt(pick % _memory.Count));
                    break;
                case Step.LoadOnDemand when CopyPlan.IsOnDemand(_state, 1):
                    Load(Serving[0], $"silo{pick % 3}");
                    break;
                case Step.ReportLate when _sent.Count > 0:
                    _state = CopyPlan.Take(_state, _sent[pick % _sent.Count]);
                    break;
                case Step.LoseSilo:
                    Lose($"silo{pick % 3}");
                    break;
                case Step.LeaveSilo or Step.Remove when !Serving.IsEmpty:
                    var copy = Serving[pick % Serving.Length];
                    _state = CopyPlan.Remove(_state, 1, copy);
                    _memory.Remove(copy);
                    break;
            }
        }

        private void Begin(int count, bool isReplacement)
        {
            (_state, var copies) = CopyPlan.Arrive(_state, 1, count);
            _loading = (copies, isReplacement);
        }

        private void Finish(ImmutableArray<int> copies, bool isReplacement)
        {
            foreach (var copy in copies)
            {
                Load(copy, $"silo{copy % 3}");
            }

            _loading = null;
            if (!isReplacement && (!_state.Loaded.TryGetValue(1, out var now) || now.Revision != _revision))
            {
                _state = CopyPlan.GiveUp(_state, 1, copies);
                return;
            }

            var replaced = Serving;
            _state = isReplacement
                ? CopyPlan.Replace(_state, 1, new LoadedVersion(copies, _revision, "s"), inMemory: true)
                : CopyPlan.Add(_state, 1, copies, without: []);
            foreach (var ended in replaced.Except(Serving))
            {
                _memory.Remove(ended);
            }
        }

        private void Load(int copy, string silo)
        {
            _memory[copy] = (silo, _revision, ++_epoch);
            Send(copy, inMemory: true);
        }

        private void Evict(int copy)
        {
            Send(copy, inMemory: false);
            _memory.Remove(copy);
        }

        private void Send(int copy, bool inMemory)
        {
            var (silo, revision, epoch) = _memory[copy];
            _sent.Add(CopyReports.Of(copy, epoch, inMemory, silo) with { Revision = revision });
            _state = CopyPlan.Take(_state, _sent[^1]);
        }

        private void Lose(string silo)
        {
            foreach (var copy in _memory.Where(copy => copy.Value.Silo == silo).Select(copy => copy.Key).ToList())
            {
                _memory.Remove(copy);
            }

            _state = CopyPlan.Lose(_state, [silo]);
        }

        private bool Holds(ModelGrainState before, Step step)
        {
            var arriving = _state.Arriving.GetValueOrDefault(1, []);
            var serving = Serving;
            var inMemory = CopyPlan.InMemory(_state, 1);
            var contents = serving.Where(_memory.ContainsKey).Select(copy => _memory[copy].Revision).Distinct().Count();
            var placed = CopyPlan.Placements(_state, 1).Select(placement => placement.Copy).ToList();
            var numbersNew = serving.Concat(arriving).Except(Known(before)).All(copy => copy >= before.NextCopy.GetValueOrDefault(1));
            var hasOne = !serving.IsEmpty || !before.Loaded.ContainsKey(1);
            return contents <= 1
                && !serving.Intersect(arriving).Any()
                && (inMemory.Length == serving.Length || serving.Length == 1)
                && placed.All(copy => serving.Contains(copy))
                && numbersNew
                && hasOne
                && serving.SequenceEqual(serving.Order())
                && (step is not (Step.BeginReplace or Step.BeginAdd or Step.FailLoad) || (before.Loaded.GetValueOrDefault(1)?.Copies ?? []).SequenceEqual(serving));
        }

        private static IEnumerable<int> Known(ModelGrainState state) =>
            (state.Loaded.GetValueOrDefault(1)?.Copies ?? []).Concat(state.Arriving.GetValueOrDefault(1, [])).Order();
    }
}
