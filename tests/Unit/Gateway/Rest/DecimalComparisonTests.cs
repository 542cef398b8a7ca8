using System.Text;
using Cluster.Gateway.Rest.Json;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

public sealed class DecimalComparisonTests
{
    [Theory]
    [InlineData("1.5", 1.5, 0)]
    [InlineData("15e-1", 1.5, 0)]
    [InlineData("0.00015E+4", 1.5, 0)]
    [InlineData("-1.500", -1.5, 0)]
    [InlineData("1.4999999999999999999999999", 1.5, -1)]
    [InlineData("1.5000000000000000000000001", 1.5, 1)]
    [InlineData("15", 1.5, 1)]
    [InlineData("1000000000000000000000000000000", 1e30, -1)]
    [InlineData("1000000000000000019884624838656", 1e30, 0)]
    public void CompareMagnitudes_TextAndValue_IsExact(string text, double value, int expected) =>
        Assert.Equal(expected, Math.Sign(DecimalComparison.CompareMagnitudes(Encoding.ASCII.GetBytes(text), value)));

    [Theory]
    [InlineData(1000, "", 0)]
    [InlineData(1000, "1", 1)]
    [InlineData(100_000, "1", 1)]
    public void CompareMagnitudes_ManyDigits_CountsTheLastOne(int zeros, string last, int expected) =>
        Assert.Equal(expected, Math.Sign(DecimalComparison.CompareMagnitudes(Encoding.ASCII.GetBytes("1.5" + new string('0', zeros) + last), 1.5)));

    [Fact]
    public void CompareMagnitudes_ManyZerosBeforeTheFirstDigit_AreUndoneByTheExponent() =>
        Assert.Equal(0, DecimalComparison.CompareMagnitudes(Encoding.ASCII.GetBytes($"0.{new string('0', 1000)}15e1001"), 1.5));
}
