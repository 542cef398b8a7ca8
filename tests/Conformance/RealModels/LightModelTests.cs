using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Google.Protobuf;
using Xunit;

namespace Cluster.Conformance.RealModels;

/// <summary>Whole image classifiers, against the outputs that were published with them.</summary>
public sealed class LightModelTests(RealModelServer models, ITestOutputHelper output) : IClassFixture<RealModelServer>
{
    private const double RelativeTolerance = 1e-3;

    [Fact]
    public Task LightResNet50_ForTheReferenceInput_GivesTheReferenceOutput() => CompareAsync("light_resnet50");

    [Fact]
    public Task LightSqueezeNet_ForTheReferenceInput_GivesTheReferenceOutput() => CompareAsync("light_squeezenet");

    private async Task CompareAsync(string model)
    {
        Requires.SharedModels();
        using var grpc = new GrpcClient(models.Server.GrpcTarget);
        var metadata = await grpc.CallAsync("ModelMetadata", new ModelMetadataRequest { Name = model }, ModelMetadataResponse.Parser);
        var input = Assert.Single(metadata.Inputs);
        var count = (int)input.Shape.Aggregate((product, dimension) => product * dimension);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = (float)i / count;
        }

        var expected = ReadTensorProto(RealModelServer.PathOf(model + "_output_0.pb"));
        foreach (var (name, client) in models.Clients)
        {
            var outputs = await client.InferAsync(model, [RawTensor.Fp32(input.Name, [.. input.Shape], values)]);
            var actual = Assert.Single(outputs).ToFloats();
            Assert.Equal(expected.Length, actual.Length);
            var difference = Differences.Relative(expected, actual);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}, {name}: largest relative difference {difference:g3}"));
            Assert.InRange(difference, 0, RelativeTolerance);
        }
    }

    /// <summary>The FP32 elements of a serialized ONNX TensorProto, which has them as bytes in <c>raw_data</c>.</summary>
    private static float[] ReadTensorProto(string path)
    {
        const uint RawDataTag = (9 << 3) | 2;
        var proto = new CodedInputStream(File.ReadAllBytes(path));
        while (proto.ReadTag() is var tag and not 0)
        {
            if (tag == RawDataTag)
            {
                return MemoryMarshal.Cast<byte, float>(proto.ReadBytes().Span).ToArray();
            }

            proto.SkipLastField();
        }

        throw new InvalidDataException($"{path} has no raw_data");
    }
}
