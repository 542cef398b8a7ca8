using System.Globalization;
using System.Text;
using Cluster.Gateway.Rest.Json;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

public sealed class DecimalTextTests
{
    private const int Count = 200_000;

    [Fact]
    public void TryRead_RandomTexts_AgreesWithTheLibraryOrDeclines()
    {
        var random = new Random(11);
        var read = 0;
        for (var i = 0; i < Count; i++)
        {
            read += Check(Text(random));
        }

        Assert.InRange(read, Count / 2, 2 * Count);
    }

    [Fact]
    public void TryRead_MiddlesBetweenFloats_AgreesWithTheLibraryOrDeclines()
    {
        var random = new Random(12);
        for (var i = 0; i < Count; i++)
        {
            var below = (float)Math.Exp((random.NextDouble() * 60) - 30);
            var middle = ((double)below + MathF.BitIncrement(below)) / 2;
            Check(middle.ToString("R", CultureInfo.InvariantCulture));
            Check(Math.BitIncrement(middle).ToString("R", CultureInfo.InvariantCulture));
            Check(Math.BitDecrement(middle).ToString("R", CultureInfo.InvariantCulture));
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-0.0e5")]
    [InlineData("9999999999999999999")]
    [InlineData("0.0000000000000000001")]
    [InlineData("3.4028235677973366e+38")]
    [InlineData("34028235677973366e22")]
    [InlineData("9007199254740993")]
    [InlineData("1E-22")]
    [InlineData("1e0000000001")]
    [InlineData("1e99999999999999999999")]
    [InlineData("16777217.0000000001")]
    public void TryRead_EdgeTexts_AgreesWithTheLibraryOrDeclines(string text) => Check(text);

    /// <returns>How many of the two readers took the text.</returns>
    private static int Check(string text)
    {
        var read = 0;
        var utf8 = Encoding.ASCII.GetBytes(text);
        if (DecimalText.TryRead(utf8, out float single))
        {
            read++;
            var expected = float.Parse(utf8, CultureInfo.InvariantCulture);
            Assert.True(BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(single), text);
        }

        if (DecimalText.TryRead(utf8, out double wide))
        {
            read++;
            var expected = double.Parse(utf8, CultureInfo.InvariantCulture);
            Assert.True(BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(wide), text);
        }

        return read;
    }

    private static string Text(Random random)
    {
        var bits = random.NextInt64();
        return random.Next(5) switch
        {
            0 => BitConverter.Int32BitsToSingle((int)bits & 0x7F7FFFFF).ToString("R", CultureInfo.InvariantCulture),
            1 => ((double)(random.NextSingle() - 0.5f)).ToString("R", CultureInfo.InvariantCulture),
            2 => (random.NextDouble() * 1e6).ToString("F6", CultureInfo.InvariantCulture),
            3 => (bits >> random.Next(63)).ToString(CultureInfo.InvariantCulture),
            _ => ((random.NextDouble() + 0.1) * 10).ToString("R", CultureInfo.InvariantCulture) + "e" + random.Next(-30, 30).ToString(CultureInfo.InvariantCulture),
        };
    }
}
