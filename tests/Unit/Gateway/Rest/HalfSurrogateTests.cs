using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Control;
using Cluster.Gateway.Rest.Json;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>An escape may name half of a surrogate pair, which is no text: the JSON reader throws where it compares or replicas one.</summary>
public sealed class HalfSurrogateTests
{
    [Theory]
    [InlineData("FP32")]
    [InlineData("FP64")]
    [InlineData("BF16")]
    [InlineData("BYTES")]
    [InlineData("INT8")]
    public void Read_AsAnElement_IsRefused(string datatype)
    {
        var failure = Read($$"""{"inputs":[{"name":"A","shape":[1],"datatype":"{{datatype}}","data":["\ud800"]}]}""");

        Assert.Equal(StatusCode.InvalidArgument, failure?.Code);
    }

    [Theory]
    [InlineData("""{"\ud800":1,"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}]}""")]
    [InlineData("""{"inputs":[{"\udc00":1,"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":{"\ud800\ud800":1}}]}""")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"outputs":[{"name":"B","\ud800":1}]}""")]
    public void Read_AsTheNameOfAMember_IsAMemberOfNoMeaning(string json) => Assert.Null(Read(json));

    [Fact]
    public void ReadReady_WithSuchAMember_TakesNoNoteOfIt() => Assert.False(RepositoryRequestReader.ReadReady("""{"\ud800":true}"""u8));

    private static Failure? Read(string json)
    {
        using var builder = new InferRequestBuilder(1024, 1 << 20);
        try
        {
            JsonInferRequestReader.Read(Encoding.UTF8.GetBytes(json), builder);
            return null;
        }
        catch (ServingException exception)
        {
            return exception.Failure;
        }
    }
}
