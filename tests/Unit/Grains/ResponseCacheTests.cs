using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Grains.Workers;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ResponseCacheTests
{
    private readonly ResponseCache _cache = new(10_000);

    [Theory]
    [InlineData("", "")]
    [InlineData("first", "")]
    [InlineData("", "second")]
    [InlineData("first", "another one")]
    public void Find_SameContent_IsTheAnswerWithTheIdOfTheRequestAndAligned(string kept, string asked)
    {
        _cache.Add(ResponseCache.KeyOf(Request(1, kept)), Answer(5, kept));

        using var found = _cache.Find(ResponseCache.KeyOf(Request(1, asked)), Request(1, asked))!;

        Assert.Equal(ModelInferResponse.Parser.ParseFrom(Answer(5, asked)), ModelInferResponse.Parser.ParseFrom(found.Span));
        var tensor = found.Span.IndexOf(BitConverter.GetBytes(5.0));
        Assert.Equal(0, (tensor + found.Padding) % PayloadBuffer.TensorAlignment);
    }

    [Fact]
    public void Find_OtherContent_IsNothing()
    {
        _cache.Add(ResponseCache.KeyOf(Request(1)), Answer(5));
        var outputs = ModelInferRequest.Parser.ParseFrom(Request(1));
        outputs.Outputs.Add(OnnxBench.Output("y"));

        Assert.Null(_cache.Find(ResponseCache.KeyOf(Request(2)), Request(2)));
        Assert.Null(_cache.Find(ResponseCache.KeyOf(outputs.ToByteArray()), Request(1)));
    }

    [Fact]
    public void Add_MoreThanTheCapacity_LetsGoOfWhatWasNotAskedForTheLongest()
    {
        var cache = new ResponseCache(3 * (Answer(1).Length + 200));
        foreach (var number in new[] { 1, 2, 3 })
        {
            cache.Add(ResponseCache.KeyOf(Request(number)), Answer(number));
        }

        Assert.True(Has(1));
        cache.Add(ResponseCache.KeyOf(Request(4)), Answer(4));

        Assert.Equal([true, false, true, true], new[] { Has(1), Has(2), Has(3), Has(4) });
        cache.Add(ResponseCache.KeyOf(Request(5)), new byte[100_000]);
        Assert.False(Has(5));

        bool Has(double number)
        {
            using var found = cache.Find(ResponseCache.KeyOf(Request(number)), Request(number));
            return found is not null;
        }
    }

    [Fact]
    public void KeyOf_NoMessage_IsRefused() => Assert.Throws<ServingException>(() => ResponseCache.KeyOf([0xFF]));

    private static byte[] Request(double value, string id = "")
    {
        var request = OnnxBench.Raw(("x", "FP64", [1], OnnxBench.Bytes(value)));
        (request.ModelName, request.Id) = ("m", id);
        return request.ToByteArray();
    }

    private static byte[] Answer(double value, string id = "")
    {
        var builder = new InferResponseBuilder();
        builder.Begin("m"u8.ToArray(), "1"u8.ToArray());
        builder.AddOutput("y"u8.ToArray(), Datatype.Fp64, [1], sizeof(double));
        using var answer = builder.Build(System.Text.Encoding.UTF8.GetBytes(id));
        BitConverter.TryWriteBytes(builder.RawContents[0].Of(answer.Span), value);
        return answer.Span.ToArray();
    }
}
