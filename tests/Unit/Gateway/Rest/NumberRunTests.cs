using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Json;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Arrays of numbers are read as token by token, however they are written.</summary>
public sealed class NumberRunTests
{
    private const int Count = 40_000;

    private static readonly string[] Separators = [",", ", ", " ,", ",\n\t", "\r\n, "];

    [Fact]
    public void Read_RandomFloats_AreTheNearest()
    {
        var random = new Random(21);
        var texts = Enumerable.Range(0, Count).Select(_ => FloatText(random)).ToList();

        Assert.Equal(texts.Select(static text => BitConverter.SingleToInt32Bits(float.Parse(text, CultureInfo.InvariantCulture))), Read<int>("FP32", Join(random, texts)));
        Assert.Equal(texts.Select(static text => BitConverter.DoubleToInt64Bits(double.Parse(text, CultureInfo.InvariantCulture))), Read<long>("FP64", Join(random, texts)));
    }

    [Fact]
    public void Read_RandomIntegers_AreThemselves()
    {
        var random = new Random(22);
        var numbers = Enumerable.Range(0, Count).Select(_ => random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(63)).ToList();
        numbers.AddRange([long.MinValue, long.MaxValue, 0]);

        Assert.Equal(numbers, Read<long>("INT64", Join(random, numbers.ConvertAll(static number => number.ToString(CultureInfo.InvariantCulture)))));
        Assert.Equal(numbers.ConvertAll(static number => (ulong)number), Read<ulong>("UINT64", Join(random, numbers.ConvertAll(static number => ((ulong)number).ToString(CultureInfo.InvariantCulture)))));
        Assert.Equal(numbers.ConvertAll(static number => (sbyte)number), Read<sbyte>("INT8", Join(random, numbers.ConvertAll(static number => ((sbyte)number).ToString(CultureInfo.InvariantCulture)))));
    }

    [Fact]
    public void Read_NestedWithOtherElementsBetween_KeepsTheOrder()
    {
        Assert.Equal([1f, 2.5f, float.NaN, 4f, 5f, 6f], Read<float>("FP32", "[[1, 2.5, \"NaN\"], [4, 5, 6]]"));
        Assert.Equal([0L, 0, -7], Read<long>("INT64", "[0,-0,-7]"));
        Assert.Equal([(byte)0, (byte)0, (byte)255], Read<byte>("UINT8", "[0,-0,255]"));
    }

    [Theory]
    [InlineData("[1,2,]")]
    [InlineData("[1,,2]")]
    [InlineData("[1 2]")]
    [InlineData("[1,02]")]
    [InlineData("[1,2.]")]
    [InlineData("[1,.5]")]
    [InlineData("[1,-]")]
    [InlineData("[1,+2]")]
    [InlineData("[1,2e]")]
    [InlineData("[1,2e+]")]
    [InlineData("[1,2.5.5]")]
    [InlineData("[1,2x]")]
    [InlineData("[1,2}")]
    [InlineData("[1,\n2,\n3 4]")]
    [InlineData("[12345678,123456789012345678,1234567;]")]
    public void Read_NotJson_IsRefusedWhereItIsWrong(string data)
    {
        var json = Request("FP32", data);
        var expected = Assert.ThrowsAny<JsonException>(() =>
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = TensorDataReader.MaxDepth });
            while (reader.Read())
            {
            }
        });

        var failure = Assert.Throws<ServingException>(() => Message(json)).Failure;

        Assert.StartsWith($"the request is not valid JSON: {JsonMistake.Of(json, expected, TensorDataReader.MaxDepth)}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT32", "[1,2,3.5]", "element 2 of data is 3.5")]
    [InlineData("INT32", "[1,2,2147483648]", "element 2 of data is 2147483648")]
    [InlineData("UINT8", "[1,-1]", "element 1 of data is -1")]
    [InlineData("INT8", "[1,2,1e1]", "element 2 of data is 1e1")]
    [InlineData("FP32", "[1,2,3e38,4e38]", "element 3 of data is 4e38")]
    [InlineData("FP32", "[1,2,true]", "element 2 of data is true")]
    [InlineData("FP32", "[1,2,[3]]", "data is ragged near element 2")]
    [InlineData("FP32", "[[1,2,3],[4,5]]", "data is ragged near element 5")]
    public void Read_ElementThatDoesNotFit_IsNamed(string datatype, string data, string expected) =>
        Assert.Contains(expected, Assert.Throws<ServingException>(() => Message(Request(datatype, data))).Failure.Message, StringComparison.Ordinal);

    private static T[] Read<T>(string datatype, string data)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Message(Request(datatype, data)).RawInputContents[0].Span).ToArray();

    /// <summary>A second input follows, whose data waits for its datatype: where it begins is known only if the reader knows where it went on.</summary>
    private static byte[] Request(string datatype, string data)
    {
        var shape = data.StartsWith("[[", StringComparison.Ordinal) ? "2,3" : $"{data.Count(static letter => letter == ',') + 1}";
        return Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"A","datatype":"{{datatype}}","shape":[{{shape}}],"data":{{data}}},{"name":"B","data":[7, 8],"datatype":"INT8","shape":[2]}],"id":"after"}""");
    }

    private static ModelInferRequest Message(byte[] json)
    {
        using var builder = new InferRequestBuilder(1024, 1 << 24);
        var request = JsonInferRequestReader.Read(json, builder);
        foreach (var input in request.Inputs.Where(static input => input.DataElements is null))
        {
            JsonInferRequestReader.WriteWaiting(json, input, builder);
        }

        using var message = builder.Build();
        var parsed = ModelInferRequest.Parser.ParseFrom(message.Span);
        Assert.Equal([7, 8], parsed.RawInputContents[1].ToByteArray());
        Assert.Equal("after", parsed.Id);
        return parsed;
    }

    private static string Join(Random random, List<string> texts)
    {
        var joined = new StringBuilder("[").Append(texts[0]);
        foreach (var text in texts.Skip(1))
        {
            joined.Append(Separators[random.Next(Separators.Length)]).Append(text);
        }

        return joined.Append(" ]").ToString();
    }

    private static string FloatText(Random random)
    {
        var bits = random.NextInt64();
        return random.Next(7) switch
        {
            0 => BitConverter.Int32BitsToSingle((int)bits & 0x7F3FFFFF).ToString("R", CultureInfo.InvariantCulture),
            1 => ((double)(random.NextSingle() - 0.5f)).ToString("R", CultureInfo.InvariantCulture),
            2 => (random.NextDouble() * 1e6).ToString("F6", CultureInfo.InvariantCulture),
            3 => (bits >> random.Next(63)).ToString(CultureInfo.InvariantCulture),
            4 => (random.NextDouble() * 1e-3).ToString("F19", CultureInfo.InvariantCulture),
            5 => random.Next(256).ToString(CultureInfo.InvariantCulture),
            _ => ((random.NextDouble() + 0.1) * 10).ToString("R", CultureInfo.InvariantCulture) + "e" + random.Next(-30, 30).ToString(CultureInfo.InvariantCulture),
        };
    }
}
