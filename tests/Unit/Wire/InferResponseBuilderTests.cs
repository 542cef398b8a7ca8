using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using FsCheck.Fluent;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class InferResponseBuilderTests
{
    private readonly InferResponseBuilder _builder = new();

    [Fact]
    public unsafe void Build_AnyOutputs_ParsesInBothAndStartsAligned() => Messages.ForAll(
        from count in Gen.Choose(0, 4)
        from lengths in Gen.Choose(0, 300).ArrayOf(count)
        from rank in Gen.Choose(0, 3)
        from sizes in Gen.Elements(0L, 1, 200, 1L << 40).ArrayOf(rank)
        from id in Gen.Elements("", "request-17", "größe")
        select (Lengths: lengths, Shape: sizes, Id: id),
        sample =>
        {
            // The same builder for every sample: nothing of the one before may be left.
            var expected = new ModelInferResponse { ModelName = "m", ModelVersion = "3", Id = sample.Id };
            _builder.Begin("m"u8.ToArray(), "3"u8.ToArray());
            for (var i = 0; i < sample.Lengths.Length; i++)
            {
                _builder.AddOutput([(byte)('a' + i)], Datatype.UInt8, sample.Shape, sample.Lengths[i]);
                expected.Outputs.Add(
                    new ModelInferResponse.Types.InferOutputTensor { Name = $"{(char)('a' + i)}", Datatype = "UINT8", Shape = { sample.Shape } });
                expected.RawOutputContents.Add(ByteString.CopyFrom([.. Enumerable.Repeat((byte)(i + 1), sample.Lengths[i])]));
            }

            using var message = _builder.Build(System.Text.Encoding.UTF8.GetBytes(sample.Id));
            for (var i = 0; i < sample.Lengths.Length; i++)
            {
                _builder.RawContents[i].Of(message.Span).Fill((byte)(i + 1));
            }

            var bytes = message.Span.ToArray();
            Assert.Equal(expected, ModelInferResponse.Parser.ParseFrom(bytes));
            Assert.Equal(expected, Reading.Response(bytes));
            fixed (byte* start = message.Span)
            {
                Assert.True(sample.Lengths.Length == 0 || (nint)(start + _builder.RawContents[0].Offset) % PayloadBuffer.TensorAlignment == 0);
            }
        });

    [Theory]
    [InlineData(long.MaxValue / 2, 1)]
    [InlineData(long.MaxValue / 2, 2)]
    [InlineData(long.MaxValue / 2, 3)]
    [InlineData(1L << 30, 2)]
    [InlineData(int.MaxValue, 1)]
    public void Build_MoreThanOneMessageCanHold_SaysExhausted(long length, int outputs)
    {
        _builder.Begin("m"u8.ToArray(), "1"u8.ToArray());
        for (var i = 0; i < outputs; i++)
        {
            _builder.AddOutput("a"u8.ToArray(), Datatype.UInt8, [1], length);
        }

        var exception = Assert.Throws<ServingException>(() => _builder.Build([]));

        Assert.Equal(StatusCode.ResourceExhausted, exception.Failure.Code);
    }

    [Fact]
    public void Parse_TruncatedResponse_ReadsWhereGeneratedCodeDoes()
    {
        var whole = new ModelInferResponse
        {
            ModelName = "m",
            Id = "1",
            Outputs = { new ModelInferResponse.Types.InferOutputTensor { Name = "a", Datatype = "FP32", Shape = { 1, 300 } } },
            RawOutputContents = { ByteString.CopyFrom(new byte[20]) },
        }.ToByteArray();
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            var reads = Record.Exception(() => ModelInferResponse.Parser.ParseFrom(cut)) is null;

            var exception = Record.Exception(() => Reading.Response(cut));

            Assert.Equal(reads, exception is null);
            Assert.True(exception is null or ServingException);
        }
    }
}
