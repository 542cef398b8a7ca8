using System.Globalization;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Versions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class VersionSelectionTests
{
    private static readonly Gen<List<long>> Versions =
        Gen.Select(Gen.ListOf(Gen.Choose(1, 12)), numbers => numbers.Select(number => (long)number).ToList());

    [Fact]
    public void Select_Latest_TakesTheHighest() => Check(Gen.Choose(1, 15), (available, count) =>
    {
        var chosen = VersionPolicy.Latest(count).Select(available);
        var left = available.Except(chosen);

        return chosen.Length == Math.Min(count, available.Distinct().Count())
            && left.All(version => chosen.All(higher => higher > version));
    });

    [Fact]
    public void Select_Specific_TakesThoseThereAre() => Check(Versions, (available, wanted) =>
        VersionPolicy.Specific(wanted).Select(available).ToHashSet().SetEquals(available.Intersect(wanted)));

    [Fact]
    public void Select_All_TakesAll() => Check(Gen.Constant(0), (available, _) =>
        VersionPolicy.All.Select(available).ToHashSet().SetEquals(available));

    [Fact]
    public void Select_AnyPolicy_IsDescendingWithoutRepeats()
    {
        var policies = Gen.OneOf(
            Gen.Constant(VersionPolicy.All),
            Gen.Select(Gen.Choose(1, 15), VersionPolicy.Latest),
            Gen.Select(Versions, VersionPolicy.Specific));

        Check(policies, (available, policy) =>
        {
            var chosen = policy.Select(available);
            return chosen.SequenceEqual(chosen.Distinct().OrderDescending());
        });
    }

    [Fact]
    public void TryParse_AnyText_AcceptsExactlyTheCanonicalPositiveNumbers()
    {
        var text = Gen.Select(Gen.ListOf(Gen.Elements('0', '1', '9', '-', '+', ' ', '.', 'e', '٣')), characters => new string([.. characters]));

        Prop.ForAll(text.ToArbitrary(), name =>
        {
            var isVersion = VersionScanner.TryParse(name, out var version);
            var isCanonical = name.Length > 0 && name[0] is >= '1' and <= '9' && name.All(char.IsAsciiDigit) && name.Length < 19;
            return isVersion == isCanonical && (!isVersion || version.ToString(CultureInfo.InvariantCulture) == name);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("9223372036854775807", true)]
    [InlineData("9223372036854775808", false)]
    public void TryParse_EndOfTheRange_IsRespected(string name, bool expected) => Assert.Equal(expected, VersionScanner.TryParse(name, out _));

    private static void Check<T>(Gen<T> other, Func<List<long>, T, bool> holds) =>
        Prop.ForAll(Versions.ToArbitrary(), other.ToArbitrary(), holds).QuickCheckThrowOnFailure();
}
