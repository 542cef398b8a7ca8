using Cluster.Contracts.Models;
using Cluster.Grains.Models;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class CopyReportTests
{
    private static readonly ModelGrainState Serving = CopyReports.Serving(0);

    /// <summary>Reports of a copy's loads may overtake each other.</summary>
    [Fact]
    public void Take_AnyOrder_TheLatestReportDecides() => Prop.ForAll(
        Gen.Shuffle(Enumerable.Range(2, 8)).ToArbitrary(), order =>
        {
            var state = order.Aggregate(Serving, (before, number) => CopyPlan.Take(before, Report(0, number / 2, inMemory: number % 2 == 0)));

            return CopyPlan.IsOnDemand(state, 1);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Take_LoadedThenGoneThenLoaded_FollowsAndAddsUp()
    {
        var gone = CopyPlan.Take(CopyPlan.Take(Serving, Report(0, 1, inMemory: true)), Report(0, 1, inMemory: false));
        var back = CopyPlan.Take(gone, Report(0, 2, inMemory: true));
        var again = CopyPlan.Take(back, Report(0, 2, inMemory: false));

        Assert.True(CopyPlan.IsOnDemand(gone, 1));
        Assert.False(CopyPlan.IsOnDemand(back, 1));
        Assert.Equal(2, again.Presence[1][0].Past!.InferenceCount);
    }

    [Fact]
    public void Take_ACopyThatWasReplaced_IsForgotten()
    {
        var state = CopyPlan.Take(Serving, Report(1, 5, inMemory: true));

        Assert.Empty(CopyPlan.Take(state, Report(1, 5, inMemory: false)).Presence);
        Assert.False(CopyPlan.IsOnDemand(state, 1));
    }

    [Fact]
    public void Take_OtherContentThanThatOfTheLastLoad_IsKnownFromThenOn()
    {
        var state = CopyPlan.Take(Serving, Report(0, 1, inMemory: true) with { Revision = "newer" });

        Assert.Equal(("newer", "s"), (state.Loaded[1].Revision, state.Loaded[1].SettingsRevision));
    }

    [Fact]
    public void Readmit_ACopyThatCameBackElsewhere_ServesBesideTheOthers()
    {
        var serving = CopyPlan.Take(Serving, CopyReports.Of(0, 1, inMemory: true, "one"));
        var back = CopyReports.Of(1, 2, inMemory: true, "two");

        var state = CopyPlan.Take(CopyPlan.Readmit(serving, back), back);

        Assert.Equal("0 1", string.Join(' ', CopyPlan.InMemory(state, 1)));
        Assert.Same(serving, CopyPlan.Readmit(serving, back with { Revision = "older" }));
        Assert.Same(serving, CopyPlan.Readmit(serving, back with { Silo = "one" }));
        var onDemand = CopyPlan.Take(serving, CopyReports.Of(0, 1, inMemory: false, "one"));
        Assert.Same(onDemand, CopyPlan.Readmit(onDemand, back));
    }

    private static CopyReport Report(int copy, long epoch, bool inMemory) =>
        CopyReports.Of(copy, epoch, inMemory) with { Statistics = inMemory ? null : new CopyStatistics { InferenceCount = 1 } };
}
