using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class RepositoryVoteTests
{
    /// <summary>"-" is a silo that has no such model, another letter its content; the first is the silo that asks.</summary>
    [Theory]
    [InlineData("a", "taken")]
    [InlineData("-", "taken")]
    [InlineData("- -", "taken")]
    [InlineData("- a", "held")]
    [InlineData("- a a", "outvoted")]
    [InlineData("- - a", "held")]
    [InlineData("- - -", "taken")]
    [InlineData("b a", "held")]
    [InlineData("b b", "taken")]
    [InlineData("b b a", "taken")]
    [InlineData("b a a", "outvoted")]
    [InlineData("b - a", "outvoted")]
    [InlineData("b b a a", "held")]
    [InlineData("b b b -", "taken")]
    public void Count_ByWhatTheSilosHold_TakesHoldsBackOrOutvotes(string silos, string expected)
    {
        var held = silos.Split(' ').Select(content => ImmutableArray.Create(content == "-" ? null : content)).ToList();

        var vote = RepositoryVote.Count(["m"], held[0], held[1..]);

        Assert.Equal(expected, vote.Taken.Contains("m") ? "taken" : vote.Outvoted.Contains("m") ? "outvoted" : "held");
        Assert.NotEqual(vote.Taken.Contains("m"), vote.HeldBack.Contains("m"));
    }

    [Fact]
    public void Fingerprint_EqualContentElsewhere_IsEqual()
    {
        static ModelRegistration At(string path, string revision, string settings = "s") =>
            new() { Name = "m", Versions = [new ModelVersionSource(1, path, revision)], SettingsRevision = settings };

        Assert.Equal(RepositoryVote.Fingerprint(At("/a", "1")), RepositoryVote.Fingerprint(At("/b", "1")));
        Assert.NotEqual(RepositoryVote.Fingerprint(At("/a", "1")), RepositoryVote.Fingerprint(At("/a", "2")));
        Assert.NotEqual(RepositoryVote.Fingerprint(At("/a", "1")), RepositoryVote.Fingerprint(At("/a", "1", "t")));
        Assert.Null(RepositoryVote.Fingerprint(null));
    }
}
