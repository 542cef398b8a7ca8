using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using FsCheck.Fluent;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class PaddingTests
{
    [Fact]
    public void PaddingFor_AnyMessage_AlignsTheFirstRawTensor() => Messages.ForAll(Messages.Requests, request =>
    {
        var bytes = request.ToByteArray();
        var message = new InferRequestMessage();
        message.Parse(bytes);

        var padding = InferRequestHeader.PaddingFor(bytes);

        Assert.InRange(padding, 0, 7);
        var offset = message.RawContents.Count == 0 ? 0 : message.RawContents[0].Offset;
        Assert.Equal(0, (padding + offset) % 8);
    });

    [Fact]
    public void PaddingFor_CutOffAnywhere_IsTheWholeMessagesOrZero() => Messages.ForAll(
        Messages.Requests,
        request =>
        {
            var bytes = request.ToByteArray();
            var whole = InferRequestHeader.PaddingFor(bytes);
            var message = new InferRequestMessage();
            message.Parse(bytes);
            for (var length = 0; length < bytes.Length; length++)
            {
                var shown = message.RawContents.Count > 0 && length >= message.RawContents[0].Offset;

                Assert.Equal(shown ? whole : 0, InferRequestHeader.PaddingFor(bytes.AsSpan(0, length)));
            }
        },
        count: 50);

    [Fact]
    public void PaddingFor_AnyBytes_NeverFails() => Messages.ForAll(
        Gen.Choose(0, 255).ArrayOf(), bytes => Assert.InRange(InferRequestHeader.PaddingFor([.. bytes.Select(value => (byte)value)]), 0, 7), count: 1000);

    [Fact]
    public void PaddingFor_VarintFieldInFront_StillFindsTheTensor()
    {
        var raw = new ModelInferRequest { RawInputContents = { ByteString.CopyFrom(new byte[8]) } }.ToByteArray();

        Assert.Equal(8 - 5, InferRequestHeader.PaddingFor([0xA0, 0x06, 1, .. raw]));
    }
}
