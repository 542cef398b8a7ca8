using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelPlanTests
{
    private const string Broken = "no .onnx file";

    public static TheoryData<string, ModelGrainState, long[], string, long[]> Plans => new()
    {
        { "nothing known", new ModelGrainState(), [], "", [] },
        { "latest of two", State(VersionPolicy.LatestOne, [1, 2]), [2], "2", [] },
        { "latest two of three", State(VersionPolicy.Latest(2), [1, 2, 3]), [3, 2], "3", [] },
        { "all", State(VersionPolicy.All, [1, 2]), [2, 1], "2", [] },
        { "all, highest loaded", Loaded(State(VersionPolicy.All, [1, 2]), (2, 0, "r")), [2, 1], "1", [] },
        { "specific", State(VersionPolicy.Specific([1, 7]), [1, 2]), [1], "1", [] },
        { "specific but absent", State(VersionPolicy.Specific([7]), [1, 2]), [], "", [] },
        { "loaded as wanted", Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "r")), [1], "", [] },
        { "a newer version: load it, then end the old", Loaded(State(VersionPolicy.LatestOne, [1, 2]), (1, 0, "r")), [2], "2", [1] },
        { "the newer version fails: the old one stays", Failed(Loaded(State(VersionPolicy.LatestOne, [1, 2]), (1, 0, "r")), (2, "r", "s")), [1], "", [] },
        { "the newest fails and nothing serves: the next one", Failed(State(VersionPolicy.LatestOne, [1, 2]), (2, "r", "s")), [1], "1", [] },
        { "everything fails", Failed(State(VersionPolicy.LatestOne, [1]), (1, "r", "s")), [], "", [] },
        { "a version with a problem is passed over", WithProblem(State(VersionPolicy.LatestOne, [1, 2]), 2), [1], "1", [] },
        { "failed content was replaced: again", Failed(State(VersionPolicy.LatestOne, [1]), (1, "older", "s")), [1], "1", [] },
        { "settings changed after the failure: again", Failed(State(VersionPolicy.LatestOne, [1]), (1, "r", "older")), [1], "1", [] },
        { "new content beside replica 0", Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "older")), [1], "1", [] },
        { "new content beside replica 1", Loaded(State(VersionPolicy.LatestOne, [1]), (1, 1, "older")), [1], "1", [] },
        { "new content fails: the old one stays", Failed(Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "older")), (1, "r", "s")), [1], "", [] },
        { "the file of what serves is gone: it stays", WithProblem(Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "r")), 1), [1], "", [] },
        { "a version is gone", Loaded(State(VersionPolicy.All, [2]), (1, 0, "r"), (2, 0, "r")), [2], "", [1] },
        { "the model is gone", Loaded(State(VersionPolicy.All, []), (1, 0, "r")), [], "", [1] },
        { "unloaded on request", Loaded(State(VersionPolicy.All, [1, 2]) with { Unloaded = true }, (1, 0, "r")), [], "", [1] },
        { "bad settings keep what serves", BadSettings(Loaded(State(VersionPolicy.All, [1, 2]), (1, 0, "older"))), [1], "", [] },
        { "bad settings, but the version is gone", BadSettings(Loaded(State(VersionPolicy.All, [2]), (1, 0, "r"), (2, 0, "r"))), [2], "", [1] },
        { "bad settings load nothing", BadSettings(State(VersionPolicy.All, [1])), [], "", [] },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public void Plan_OfState_IsWhatFollows(string name, ModelGrainState state, long[] desired, string nextLoad, long[] toUnload)
    {
        var next = ModelPlan.NextLoad(state) is { } source ? $"{source.Version}" : "";

        Assert.Equal((name, string.Join(',', desired)), (name, string.Join(',', ModelPlan.Desired(state))));
        Assert.Equal((name, nextLoad), (name, next));

        // Asked once nothing is left to load.
        var done = ModelPlan.ToUnload(state).Select(loaded => loaded.Key);
        Assert.Equal((name, string.Join(',', toUnload)), (name, string.Join(',', done)));
    }

    [Fact]
    public void Describe_EveryKindOfVersion_TellsItsStateAndWhy()
    {
        var state = Failed(Loaded(State(VersionPolicy.LatestOne, [1, 2, 3, 4, 5]), (3, 1, "older"), (5, 0, "r")), (2, "r", "s"), (3, "r", "s"));

        var told = ModelPlan.Describe("m", ReplicaPlan.Arrive(state, 4, Silos.B).State);

        Assert.Equal("m", told.Name);
        Assert.Equal([5, 4, 3, 2, 1], told.Versions.Select(version => version.Version));
        var byVersion = told.Versions.ToDictionary(version => version.Version);
        Assert.Equal((ModelVersionState.Ready, "", false), (byVersion[5].State, byVersion[5].Reason, byVersion[5].Failed));
        Assert.Equal((ModelVersionState.Loading, "", false), (byVersion[4].State, byVersion[4].Reason, byVersion[4].Failed));
        Assert.Equal([new(0, Silos.B)], byVersion[4].Arriving.ToArray());
        Assert.Equal(
            (ModelVersionState.Ready, $"serves its previous content, the new one does not load: {Broken}"), (byVersion[3].State, byVersion[3].Reason));
        Assert.Equal([ReplicaStates.At(1)], byVersion[3].Replicas.ToArray());
        Assert.Equal((ModelVersionState.Unavailable, Broken, true), (byVersion[2].State, byVersion[2].Reason, byVersion[2].Failed));
        Assert.Equal(
            (ModelVersionState.Unavailable, "not chosen by the version policy", false), (byVersion[1].State, byVersion[1].Reason, byVersion[1].Failed));
    }

    [Fact]
    public void Describe_ReplacementLoading_KeepsTheOldCopyReady()
    {
        var state = Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "older")) with { NextReplica = new ModelGrainState().NextReplica.Add(1, 1) };

        var version = Assert.Single(ModelPlan.Describe("m", ReplicaPlan.Arrive(state, 1, Silos.B).State).Versions);

        Assert.Equal((ModelVersionState.Ready, 1), (version.State, Assert.Single(version.Arriving).Number));
        Assert.Equal([true, true, false], new[] { 0, 1, 2 }.Select(version.Wants));
    }

    /// <summary>One that waits before its load, as a suspect does, is not one that is not wanted.</summary>
    [Fact]
    public void Describe_WantedAndNotArrivingYet_Loads()
    {
        var told = ModelPlan.Describe("m", State(VersionPolicy.LatestOne, [1, 2]));

        Assert.Equal([(ModelVersionState.Loading, ""), (ModelVersionState.Unavailable, "not chosen by the version policy")], told.Versions.Select(static version => (version.State, version.Reason)));
    }

    [Fact]
    public void Describe_Unloaded_SaysThatItWasAskedFor()
    {
        var version = Assert.Single(ModelPlan.Describe("m", WithProblem(State(VersionPolicy.LatestOne, [1]), 1) with { Unloaded = true }).Versions);

        Assert.Equal((ModelVersionState.Unavailable, "unloaded on request", false), (version.State, version.Reason, version.Failed));
    }

    [Theory]
    [InlineData(false, "registered; its first request loads it", "not chosen by the version policy")]
    [InlineData(true, Broken, "registered; its first request loads it")]
    public void Describe_NotYetUsed_SaysWhichVersionTheFirstRequestLoads(bool newestIsBroken, string newest, string older)
    {
        var state = State(VersionPolicy.LatestOne, [1, 2]) with { NotYetUsed = true };

        var told = ModelPlan.Describe("m", newestIsBroken ? WithProblem(state, 2) : state);

        Assert.Equal([newest, older], told.Versions.Select(static version => version.Reason));
    }

    [Fact]
    public void Describe_GoneButStillLoaded_IsStillThere()
    {
        var told = ModelPlan.Describe("m", Loaded(State(VersionPolicy.All, []), (1, 0, "r")));

        Assert.Equal(ModelVersionState.Ready, Assert.Single(told.Versions).State);
    }

    public static TheoryData<string, ModelGrainState, string> Failures => new()
    {
        { "nothing failed", Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "r")), "" },
        { "the chosen one failed", Failed(Loaded(State(VersionPolicy.LatestOne, [1, 2]), (1, 0, "r")), (2, "r", "s")), "2" },
        { "new content failed, the old serves", Failed(Loaded(State(VersionPolicy.LatestOne, [1]), (1, 0, "older")), (1, "r", "s")), "1" },
        { "the policy did not choose the broken one", WithProblem(Loaded(State(VersionPolicy.LatestOne, [1, 2]), (2, 0, "r")), 1), "" },
        { "one of all is broken", WithProblem(Loaded(State(VersionPolicy.All, [1, 2]), (2, 0, "r")), 1), "1" },
        { "unloaded", WithProblem(State(VersionPolicy.All, [1]), 1) with { Unloaded = true }, "" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void ChosenButFailed_OfState_IsWhatThePolicyAskedFor(string name, ModelGrainState state, string expected)
    {
        var failed = ModelPlan.ChosenButFailed(state) is var (version, reason) ? $"{version}" + (reason == Broken ? "" : "?") : "";

        Assert.Equal((name, expected), (name, failed));
    }

    private static ModelGrainState State(VersionPolicy policy, long[] versions) => new()
    {
        Registration = new ModelRegistration
        {
            Name = "m",
            Versions = [.. versions.Select(version => new ModelVersionSource(version, $"/m/{version}/model.onnx", "r"))],
            VersionPolicy = policy,
            SettingsRevision = "s",
        },
    };

    private static ModelGrainState Loaded(ModelGrainState state, params (long Version, int Copy, string Revision)[] loaded) =>
        state with { Loaded = loaded.ToImmutableSortedDictionary(entry => entry.Version, entry => new LoadedVersion([ReplicaStates.At(entry.Copy)], entry.Revision, "s")) };

    private static ModelGrainState Failed(ModelGrainState state, params (long Version, string Revision, string Settings)[] failed) =>
        state with { Failed = failed.ToImmutableSortedDictionary(entry => entry.Version, entry => new FailedLoad(entry.Revision, entry.Settings, Broken)) };

    private static ModelGrainState WithProblem(ModelGrainState state, long version) => state with
    {
        Registration = state.Registration! with
        {
            Versions = [.. state.Registration.Versions.Select(source => source.Version == version ? source with { Path = "", Problem = Broken } : source)],
        },
    };

    private static ModelGrainState BadSettings(ModelGrainState state) =>
        state with { Registration = state.Registration! with { Problem = "model.json is no JSON" } };
}
