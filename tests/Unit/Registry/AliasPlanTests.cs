using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Grains.Aliases;
using Xunit;

namespace Cluster.Unit.Registry;

public sealed class AliasPlanTests
{
    private static readonly AliasState Settled = new("a", "me", "old", "old");
    private static readonly AliasState Moving = new("a", "me", "old", "new");
    private static readonly AliasState Stuck = Moving with { Failure = "broken" };

    [Theory]
    [InlineData(null, false, null, null)]
    [InlineData(null, true, null, StatusCode.NotFound)]
    [InlineData(null, false, "new", null)]
    [InlineData(null, false, "old", StatusCode.FailedPrecondition)]
    public void Refusal_NoAlias_DependsOnWhatWasExpected(string? owner, bool updateOnly, string? expected, StatusCode? refusal)
    {
        var change = new AliasChange { Target = "new", Owner = owner, UpdateOnly = updateOnly, Expected = expected };

        Assert.Equal(refusal, AliasPlan.Refusal("a", null, change)?.Code);
    }

    [Theory]
    [InlineData("new", null, null, null)]
    [InlineData("new", "me", "old", null)]
    [InlineData("new", "you", null, StatusCode.AlreadyExists)]
    [InlineData("new", "you", "wrong", StatusCode.AlreadyExists)]
    [InlineData("new", null, "wrong", StatusCode.FailedPrecondition)]
    [InlineData("new", null, "new", StatusCode.FailedPrecondition)]
    [InlineData("old", null, "wrong", null)]
    public void Refusal_Alias_ComparesOwnerAndTarget(string target, string? owner, string? expected, StatusCode? refusal) =>
        Assert.Equal(refusal, AliasPlan.Refusal("a", Settled, new AliasChange { Target = target, Owner = owner, Expected = expected })?.Code);

    [Fact]
    public void Refusal_AliasWithoutOwner_IsRefusedToAnOwner() =>
        Assert.Equal(StatusCode.AlreadyExists, AliasPlan.Refusal("a", Settled with { Owner = null }, new AliasChange { Target = "x", Owner = "me" })?.Code);

    [Theory]
    [InlineData(0, 0, "new")]
    [InlineData(1, 0, "old")]
    [InlineData(1, 1, "new")]
    [InlineData(2, 1, "old")]
    [InlineData(2, 3, "new")]
    public void Next_NewTarget_AnswersOnceThereAreAsManyCopies(int activeReplicas, int targetReplicas, string active)
    {
        var next = AliasPlan.Next("a", Settled, new AliasChange { Target = "new" }, activeReplicas, targetReplicas);

        Assert.Equal(Settled with { Active = active, Target = "new" }, next);
        Assert.Equal(active == "new" ? ["new"] : ["old", "new"], AliasPlan.References(next));
    }

    [Fact]
    public void Next_Force_AnswersAtOnce() =>
        Assert.Equal(Settled with { Active = "new", Target = "new" }, AliasPlan.Next("a", Settled, new AliasChange { Target = "new", Force = true }, 5, 0));

    [Fact]
    public void Next_NoAlias_IsCreatedForItsOwner() => Assert.Equal(
        new AliasState("a", "you", "new", "new"), AliasPlan.Next("a", null, new AliasChange { Target = "new", Owner = "you" }, 0, 0));

    [Fact]
    public void Next_TargetOfBefore_EndsTheMove() =>
        Assert.Equal(Settled, AliasPlan.Next("a", Stuck, new AliasChange { Target = "old" }, 1, 0));

    [Fact]
    public void Next_SameTarget_ForgetsItsFailure() =>
        Assert.Equal(Moving, AliasPlan.Next("a", Stuck, new AliasChange { Target = "new" }, 1, 0));

    [Fact]
    public void Next_ThirdTarget_LetsGoOfTheSecond()
    {
        var next = AliasPlan.Next("a", Moving, new AliasChange { Target = "newest" }, 1, 0);

        Assert.Equal(["old", "newest"], AliasPlan.References(next));
    }

    [Fact]
    public void Review_SettledAlias_StaysAsItIs() => Assert.Equal(Settled, AliasPlan.Review(Settled, 0, 9));
}
