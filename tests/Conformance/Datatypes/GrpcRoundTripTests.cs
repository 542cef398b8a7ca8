using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Datatypes;

/// <summary>Tensors come back bit by bit through gRPC, in raw and in typed contents.</summary>
public sealed class GrpcRoundTripTests(ServerFixture fixture) : ServerTests(fixture)
{
    public static TheoryData<string, string> RawCases { get; } = Cross(["python", "node"], [.. Samples.Names, .. Samples.RawOnly.Keys]);

    public static TheoryData<string, string> TypedCases { get; } = Cross(["python", "node"], Samples.TypedNames);

    [Theory]
    [MemberData(nameof(RawCases))]
    public async Task ModelInfer_RawContents_AnswersTheSameBytes(string client, string sample)
    {
        var (model, tensor) = Samples.RawOnly.TryGetValue(sample, out var raw) ? raw : Samples.Get(sample);
        var answer = InferAnswer.Of(await InferAsync(client, new Infer(model, tensor).Raw()));
        AssertSame(model, tensor, answer, tensor.Data);
    }

    [Theory]
    [MemberData(nameof(TypedCases))]
    public async Task ModelInfer_TypedContents_AnswersTheSameElements(string client, string sample)
    {
        var (model, tensor) = Samples.Get(sample);
        var answer = InferAnswer.Of(await InferAsync(client, new Infer(model, tensor).Typed()));
        var data = Elements.WithoutPayloads(tensor.Datatype, answer.Output.Data);
        AssertSame(model, tensor, answer with { Outputs = [answer.Output with { Data = data }] }, Elements.WithoutPayloads(tensor.Datatype, tensor.Data));
    }

    private static void AssertSame(string model, Tensor tensor, InferAnswer answer, byte[] expected)
    {
        Assert.Equal(model, answer.Model);
        Assert.Equal("1", answer.Version);
        Assert.Equal("OUTPUT0", answer.Output.Name);
        Assert.Equal(tensor.Datatype, answer.Output.Datatype);
        Assert.Equal(tensor.Shape, answer.Output.Shape);
        Assert.Equal(expected, answer.Output.Data);
    }
}
