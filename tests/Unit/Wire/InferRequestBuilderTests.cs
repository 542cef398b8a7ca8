using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class InferRequestBuilderTests
{
    private const int Limit = 1 << 20;

    private static readonly Gen<(ModelInferRequest Request, int Capacity)> Samples =
        from request in Messages.Requests
        from capacity in Gen.Choose(0, 64)
        select (Prepared(request), capacity);

    [Fact]
    public void Build_AnyRequest_ParsesInGeneratedCodeToTheSame() => Messages.ForAll(Samples, sample =>
    {
        using var message = Build(sample.Request, sample.Capacity);
        var bytes = message.Span.ToArray();

        Assert.Equal(sample.Request, ModelInferRequest.Parser.ParseFrom(bytes));
        Assert.Equal(Reading.Seen(sample.Request), Reading.Request(bytes));
    });

    [Fact]
    public unsafe void Build_AnyRequest_EveryTensorIsAlignedInMemory() => Messages.ForAll(Samples, sample =>
    {
        using var message = Build(sample.Request, sample.Capacity);
        var parsed = new InferRequestMessage();
        parsed.Parse(message.Span);
        fixed (byte* start = message.Span)
        {
            foreach (var raw in parsed.RawContents)
            {
                Assert.Equal(0, (nint)(start + raw.Offset) % PayloadBuffer.TensorAlignment);
            }
        }
    });

    [Fact]
    public void EndRaw_ReturnsTheBytesOfTheTensor()
    {
        using var builder = new InferRequestBuilder(16, Limit);
        foreach (var length in new[] { 0, 1, 7, 8, 5000 })
        {
            builder.BeginRaw();
            Write(builder, new byte[length]);

            Assert.Equal(length, builder.EndRaw());
        }
    }

    /// <summary>The limit holds to the byte for any size that the pool gives; 8 bytes are the tensor's tag and length.</summary>
    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void GetSpan_AtTheLimit_TakesNotOneByteMore(int tensor, bool fits)
    {
        using var builder = new InferRequestBuilder(8, limit: 24);
        builder.BeginRaw();

        var exception = Record.Exception(() => Write(builder, new byte[tensor]));

        if (fits)
        {
            Assert.Null(exception);
            builder.EndRaw();
            using var message = builder.Build();
            Assert.Equal(24, message.Length);
        }
        else
        {
            Assert.Equal(StatusCode.ResourceExhausted, Assert.IsType<ServingException>(exception).Failure.Code);
            Assert.Contains("24 bytes", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void GetMemory_SmallLimit_GivesNoMoreThanTheLimit()
    {
        using var builder = new InferRequestBuilder(10, limit: 10);

        Assert.Equal(10, builder.GetMemory().Length);
        Assert.Equal(10, builder.GetSpan().Length);
    }

    [Fact]
    public void Build_Twice_Throws()
    {
        using var builder = new InferRequestBuilder(16, Limit);
        builder.AddId("x"u8);
        using var message = builder.Build();

        Assert.Throws<ObjectDisposedException>(() => builder.Build());
        Assert.Throws<ObjectDisposedException>(() => builder.GetSpan());
    }

    /// <summary>What the builder can express: inputs without parameters and contents, outputs with classification alone.</summary>
    private static ModelInferRequest Prepared(ModelInferRequest request)
    {
        var prepared = Reading.Seen(request);
        foreach (var input in prepared.Inputs)
        {
            input.Contents = null;
            input.Datatype = "INT64";
        }

        foreach (var key in prepared.Parameters.Where(entry => entry.Value.ParameterChoiceCase == InferParameter.ParameterChoiceOneofCase.None).ToList())
        {
            prepared.Parameters.Remove(key.Key);
        }

        return prepared;
    }

    private static PayloadBuffer Build(ModelInferRequest request, int capacity)
    {
        using var builder = new InferRequestBuilder(capacity, Limit);
        builder.AddModelName(Utf8(request.ModelName));
        builder.AddModelVersion(Utf8(request.ModelVersion));
        builder.AddId(Utf8(request.Id));
        foreach (var (key, value) in request.Parameters)
        {
            Add(builder, key, value);
        }

        foreach (var input in request.Inputs)
        {
            builder.AddInput(Utf8(input.Name), Datatypes.Parse(Utf8(input.Datatype)), [.. input.Shape]);
        }

        foreach (var output in request.Outputs)
        {
            builder.AddRequestedOutput(Utf8(output.Name), output.Parameters.TryGetValue("classification", out var classes) ? classes.Int64Param : 0);
        }

        foreach (var raw in request.RawInputContents)
        {
            builder.BeginRaw();
            Write(builder, raw.ToByteArray());
            builder.EndRaw();
        }

        return builder.Build();
    }

    private static void Add(InferRequestBuilder builder, string key, InferParameter value)
    {
        switch (value.ParameterChoiceCase)
        {
            case InferParameter.ParameterChoiceOneofCase.StringParam:
                builder.AddParameter(key, value.StringParam);
                break;
            case InferParameter.ParameterChoiceOneofCase.BoolParam:
                builder.AddParameter(key, InferParameterKind.Bool, value.BoolParam ? 1 : 0);
                break;
            case InferParameter.ParameterChoiceOneofCase.DoubleParam:
                builder.AddParameter(key, InferParameterKind.Double, BitConverter.DoubleToInt64Bits(value.DoubleParam));
                break;
            case InferParameter.ParameterChoiceOneofCase.Uint64Param:
                builder.AddParameter(key, InferParameterKind.UInt64, (long)value.Uint64Param);
                break;
            default:
                builder.AddParameter(key, InferParameterKind.Int64, value.Int64Param);
                break;
        }
    }

    /// <summary>In pieces, as a body arrives.</summary>
    private static void Write(InferRequestBuilder builder, byte[] bytes)
    {
        foreach (var piece in bytes.Chunk(13))
        {
            piece.CopyTo(builder.GetSpan(piece.Length));
            builder.Advance(piece.Length);
        }
    }

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
