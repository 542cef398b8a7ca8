using Cluster.Contracts.Models;
using Xunit;

namespace Cluster.Unit.Registry;

public sealed class ReplicaBoundsTests
{
    [Theory]
    [InlineData(3, null, 3, 4)]
    [InlineData(null, 3, 2, 3)]
    [InlineData(5, null, 5, 5)]
    [InlineData(null, 1, 1, 1)]
    [InlineData(6, 0, 6, 0)]
    [InlineData(1, 9, 1, 9)]
    [InlineData(null, null, 2, 4)]
    public void Over_SettingsOfTwoToFour_TheGivenOneHolds(int? least, int? most, int expectedLeast, int expectedMost) =>
        Assert.Equal((expectedLeast, expectedMost), new ReplicaBounds(least, most).Over(new ModelSettings { MinCopies = 2, MaxCopies = 4 }));

    [Theory]
    [InlineData(0, null, "min_copies is 0, expected 1 to 1000")]
    [InlineData(1001, null, "min_copies is 1001, expected 1 to 1000")]
    [InlineData(null, -1, "max_copies is -1, expected 0 to 1000")]
    [InlineData(3, 2, "max_copies is 2, less than min_copies, 3")]
    [InlineData(3, 0, null)]
    [InlineData(3, 3, null)]
    public void Problem_OfNumbers_IsNamed(int? least, int? most, string? expected) => Assert.Equal(expected, new ReplicaBounds(least, most).Problem());
}
