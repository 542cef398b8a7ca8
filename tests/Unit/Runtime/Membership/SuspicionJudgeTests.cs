using Xunit;

namespace Cluster.Unit.Runtime.Membership;

public sealed class SuspicionJudgeTests
{
    /// <summary>Silo <paramref name="self"/> accuses <paramref name="target"/>.</summary>
    private static SuspicionVerdict Judge(int self, int target, bool targetLives, int[] answering, int[] silent, bool answersOthers = false) =>
        SuspicionJudge.Judge(
            Silos.At(self),
            Silos.At(target),
            targetLives,
            [.. answering.Select(static n => KeyValuePair.Create(Silos.At(n), true)), .. silent.Select(static n => KeyValuePair.Create(Silos.At(n), false))],
            answersOthers);

    [Fact]
    public void Target_ThatAnswersAnother_IsNotVotedAgainst() =>
        Assert.Equal(SuspicionVerdict.AnswersOthers, Judge(1, 3, true, [2], [], answersOthers: true));

    [Fact]
    public void Voter_ThatReachesTheOthers_Votes() => Assert.Equal(SuspicionVerdict.Vote, Judge(1, 3, true, [2], []));

    [Fact]
    public void Voter_ThatReachesNobody_DoubtsItself() => Assert.Equal(SuspicionVerdict.SelfIsolated, Judge(1, 5, true, [], [2, 3, 4]));

    [Theory]
    [InlineData(1, 3, new[] { 2 }, new[] { 4, 5 }, SuspicionVerdict.SelfIsolated)]
    [InlineData(3, 1, new[] { 4, 5 }, new[] { 2 }, SuspicionVerdict.Vote)]
    public void Partition_TwoAgainstThree_OnlyTheMajorityVotes(int self, int target, int[] answering, int[] silent, object expected) =>
        Assert.Equal(expected, Judge(self, target, true, answering, silent));

    [Theory]
    [InlineData(1, 3, 2, 4, SuspicionVerdict.Vote)]
    [InlineData(2, 3, 1, 4, SuspicionVerdict.Vote)]
    [InlineData(3, 1, 4, 2, SuspicionVerdict.SelfIsolated)]
    [InlineData(4, 2, 3, 1, SuspicionVerdict.SelfIsolated)]
    public void Partition_InHalves_OnlyTheHalfWithTheSmallestAddressVotes(int self, int target, int answering, int silent, object expected) =>
        Assert.Equal(expected, Judge(self, target, true, [answering], [silent]));

    [Theory]
    [InlineData(1, 2, true, SuspicionVerdict.Vote)]
    [InlineData(2, 1, true, SuspicionVerdict.SelfIsolated)]
    [InlineData(1, 2, false, SuspicionVerdict.Vote)]
    [InlineData(2, 1, false, SuspicionVerdict.Vote)]
    public void TwoSilos_TheLargerNeedsTheOtherToBeGone(int self, int target, bool targetLives, object expected) =>
        Assert.Equal(expected, Judge(self, target, targetLives, [], []));

    /// <summary>However a cluster falls apart, two parts never both may vote silos of the other out.</summary>
    [Fact]
    public void Partition_OfAnyShape_LetsAtMostOneSideVote()
    {
        for (var size = 2; size <= 7; size++)
        {
            for (var mask = 1; mask < (1 << size) - 1; mask++)
            {
                int[] left = [.. Enumerable.Range(0, size).Where(n => (mask >> n & 1) == 1)];
                int[] right = [.. Enumerable.Range(0, size).Except(left)];
                var leftVotes = Judge(left[0], right[0], true, left[1..], right[1..]) == SuspicionVerdict.Vote;
                var rightVotes = Judge(right[0], left[0], true, right[1..], left[1..]) == SuspicionVerdict.Vote;
                Assert.True(leftVotes ^ rightVotes, $"size {size}, left {string.Join(',', left)}");
            }
        }
    }
}
