using System.Buffers.Binary;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Rest.Infer;
using Cluster.Gateway.Rest.Json;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Answers whose strings are longer than the writer of JSON takes. Their bytes are memory that was never written.</summary>
public sealed class InferAnswerTests
{
    private static readonly ModelInferResponse Head = new()
    {
        ModelName = "m",
        Outputs = { new ModelInferResponse.Types.InferOutputTensor { Name = "TEXT", Datatype = "BYTES", Shape = { 1 } } },
    };

    [Theory]
    [InlineData(166_666_666, false)]
    [InlineData(166_666_667, true)]
    public void Check_LongElementAsJson_IsRefusedBeforeTheFirstByte(int length, bool isRefused)
    {
        var message = Message(Head, InferFields.RawOutputContents, sizeof(int) + length, out var element);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(element), length);

        var failure = Check(message, new JsonInferRequest());

        Assert.Equal(isRefused, failure is not null);
        Assert.Null(Check(message, new JsonInferRequest { BinaryByDefault = true }));
        if (isRefused)
        {
            Assert.Equal(StatusCode.InvalidArgument, failure!.Code);
            Assert.Equal("output 'TEXT' has an element of 166666667 bytes, of which JSON carries up to 166666666 here; ask for it with binary_data", failure.Message);
        }
    }

    [Fact]
    public void Check_LongId_IsRefusedBeforeTheFirstByte()
    {
        var head = Head.Clone();
        head.RawOutputContents.Add(ByteString.CopyFrom(new byte[sizeof(int)]));

        var failure = Check(Message(head, InferFields.Id, JsonAnswer.MaxString + 1, out _), new JsonInferRequest());

        Assert.Equal(StatusCode.InvalidArgument, failure?.Code);
    }

    /// <summary>A message with one more field, of so many zero bytes.</summary>
    /// <param name="start">Where the field's bytes begin.</param>
    private static byte[] Message(ModelInferResponse head, int field, int length, out int start)
    {
        var before = head.ToByteArray();
        var message = new byte[before.Length + ProtoWriter.FieldSize(field, length)];
        before.CopyTo(message, 0);
        var writer = new ProtoWriter(message.AsSpan(before.Length));
        writer.WriteLength(field, length);
        start = before.Length + writer.Position;
        return message;
    }

    private static Failure? Check(byte[] message, JsonInferRequest request)
    {
        try
        {
            InferAnswer.Check(message, request);
            return null;
        }
        catch (ServingException exception)
        {
            return exception.Failure;
        }
    }
}
