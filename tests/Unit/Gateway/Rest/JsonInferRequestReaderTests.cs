using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Json;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

public sealed class JsonInferRequestReaderTests
{
    private static readonly byte[] Seed = Encoding.UTF8.GetBytes(
        """
        {"id":"\u00e9","parameters":{"a":1,"b":true,"c":"x","d":1.5,"binary_data_output":true},"inputs":[
        {"name":"A","shape":[2,2],"datatype":"FP32","data":[[1.5,-2e3],["NaN",0]]},{"data":["x","\n"],"name":"B","shape":[2],"datatype":"BYTES"},
        {"name":"C","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}},{"name":"D","datatype":"UINT8","shape":[0],"data":[]}],
        "outputs":[{"name":"X","parameters":{"binary_data":true,"classification":2}}]}
        """);

    [Fact]
    public void Read_DamagedJson_IsReadOrRefusedButNeverFails() => Fuzz(30_000);

    [Fact, Trait("Category", "Soak")]
    public void Read_ManyDamagedJson_IsReadOrRefusedButNeverFails() => Fuzz(300_000);

    private static void Fuzz(int few)
    {
        var rounds = FuzzRun.Cases(few);
        var random = new Random(FuzzRun.Seed(5));
        var read = 0;
        var refused = 0;
        for (var round = 0; round < rounds; round++)
        {
            var json = Damage(random);
            try
            {
                using var builder = new InferRequestBuilder(1024, 1 << 20);
                var request = JsonInferRequestReader.Read(json, builder);
                foreach (var input in request.Inputs.Where(input => input is { DataStart: not null, DataElements: null }))
                {
                    JsonInferRequestReader.WriteWaiting(json, input, builder);
                }

                using var message = builder.Build();
                ModelInferRequest.Parser.ParseFrom(message.Span);
                read++;
            }
            catch (ServingException e)
            {
                Assert.Contains(e.Failure.Code, new[] { StatusCode.InvalidArgument, StatusCode.Unimplemented });
                refused++;
            }
        }

        Assert.True(read > rounds / 100, $"{read} read");
        Assert.True(refused > rounds / 2, $"{refused} refused");
    }

    [Theory]
    [InlineData("inputs", """{"name":"A","shape":[0],"datatype":"INT8","data":[]}""")]
    [InlineData("outputs", """{"name":"A"}""")]
    public void Read_TooManyEntries_IsRefused(string member, string entry)
    {
        var json = Encoding.UTF8.GetBytes($$"""{"{{member}}":[{{string.Join(',', Enumerable.Repeat(entry, 4097))}}]}""");
        using var builder = new InferRequestBuilder(1024, 1 << 24);

        var error = Assert.Throws<ServingException>(() => JsonInferRequestReader.Read(json, builder));

        Assert.Contains($"more than 4096 {member}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TooManyDimensions_IsRefused()
    {
        var shape = string.Join(',', Enumerable.Repeat('1', 65));
        using var builder = new InferRequestBuilder(1024, 1 << 20);

        var error = Assert.Throws<ServingException>(() => JsonInferRequestReader.Read(
            Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"A","shape":[{{shape}}],"datatype":"INT8","data":[1]}]}"""), builder));

        Assert.Contains("'A'", error.Message, StringComparison.Ordinal);
        Assert.Contains("64 dimensions", error.Message, StringComparison.Ordinal);
    }

    /// <summary>One to three bytes changed, dropped, or a piece repeated elsewhere.</summary>
    private static byte[] Damage(Random random)
    {
        List<byte> json = [.. Seed];
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(json.Count);
            switch (random.Next(4))
            {
                case 0:
                    json[at] = (byte)random.Next(256);
                    break;
                case 1:
                    json[at] = (byte)"{}[],:\"0129.-eE tn\\u"[random.Next(20)];
                    break;
                case 2:
                    json.RemoveRange(at, Math.Min(random.Next(1, 8), json.Count - at));
                    break;
                default:
                    var length = Math.Min(random.Next(1, 40), json.Count - at);
                    json.InsertRange(random.Next(json.Count), json.GetRange(at, length));
                    break;
            }
        }

        return [.. json];
    }
}
