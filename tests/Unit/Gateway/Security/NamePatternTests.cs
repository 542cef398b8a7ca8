using System.Text.RegularExpressions;
using Cluster.Gateway.Security.Policy;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "any/thing", true)]
    [InlineData("a", "a", true)]
    [InlineData("a", "A", false)]
    [InlineData("a*", "a", true)]
    [InlineData("a*a", "a", false)]
    [InlineData("a*a", "aa", true)]
    [InlineData("a*b*c", "abbc", true)]
    [InlineData("a*b*c", "acb", false)]
    [InlineData("*ab", "aab", true)]
    [InlineData("a?", "ab", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("", "a", false)]
    public void Matches_Names_ExactlyAsThePatternSays(string pattern, string name, bool matches) =>
        Assert.Equal(matches, new NamePattern(pattern).Matches(name));

    [Theory]
    [InlineData("*", true)]
    [InlineData("**", true)]
    [InlineData("", false)]
    [InlineData("a*", false)]
    public void IsAll_OnlyOfStars(string pattern, bool isAll) => Assert.Equal(isAll, new NamePattern(pattern).IsAll);

    [Fact]
    public void Matches_AnyPatternAndName_AgreesWithTheExpression()
    {
        var text = Gen.Elements('a', 'b', '*', '-').ListOf().Select(static letters => string.Concat(letters.Take(8)));
        Prop.ForAll(Arb.From(text), Arb.From(text), static (pattern, name) =>
            new NamePattern(pattern).Matches(name) == Regex.IsMatch(name, $"\\A{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal)}\\z", RegexOptions.Singleline))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }
}
