using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Grpc;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class GrpcStatusTrailersTests
{
    [Theory]
    [InlineData("plain text 1 + 2", "plain text 1 + 2")]
    [InlineData("100%", "100%25")]
    [InlineData("a\r\nb", "a%0D%0Ab")]
    [InlineData("é", "%C3%A9")]
    [InlineData("\u007f", "%7F")]
    [InlineData("😀", "%F0%9F%98%80")]
    public void Encode_Text_EscapesWhatIsNotPrintableAscii(string text, string encoded) => Assert.Equal(encoded, GrpcMessageText.Encode(text));

    // Not a row above: the test runner repairs such text on its way to the test.
    [Fact]
    public void Encode_LoneSurrogate_BecomesTheReplacementCharacter() => Assert.Equal("%EF%BF%BD", GrpcMessageText.Encode("\ud83d"));

    [Fact]
    public void Write_RetryAfter_AddsPushbackAndRetryInfo()
    {
        var fields = new HeaderDictionary();

        GrpcStatusTrailers.Write(fields, Failure.Exhausted("queue full", TimeSpan.FromMilliseconds(1500.2)));

        Assert.Equal("8", fields["grpc-status"]);
        Assert.Equal("1501", fields["grpc-retry-pushback-ms"]);
        var (code, message, detail) = ParseStatus(fields["grpc-status-details-bin"]!);
        Assert.Equal((8, "queue full"), (code, message));
        Assert.Equal("type.googleapis.com/google.rpc.RetryInfo", detail.TypeUrl);
        var retry = detail.Value.CreateCodedInput();
        Assert.Equal(10u, retry.ReadTag());
        var delay = new Duration();
        retry.ReadMessage(delay);
        Assert.Equal(TimeSpan.FromMilliseconds(1500.2), delay.ToTimeSpan());
    }

    [Fact]
    public void Write_LongMessage_StaysWithinWhatClientsTake()
    {
        var fields = new HeaderDictionary();

        GrpcStatusTrailers.Write(fields, Failure.InvalidArgument(new string('x', 1023) + "😀" + new string('x', 100_000)));

        var text = Uri.UnescapeDataString(fields["grpc-message"].ToString());
        Assert.Equal(new string('x', 1023) + "…", text);
        Assert.DoesNotContain('\uFFFD', text);
        Assert.True(Encoding.ASCII.GetByteCount(fields["grpc-message"].ToString()) < 4096);
    }

    private static (int Code, string Message, Any Detail) ParseStatus(string base64)
    {
        Assert.DoesNotContain('=', base64);
        var input = new CodedInputStream(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '=')));
        Assert.Equal(8u, input.ReadTag());
        var code = input.ReadInt32();
        Assert.Equal(18u, input.ReadTag());
        var message = input.ReadString();
        Assert.Equal(26u, input.ReadTag());
        var detail = new Any();
        input.ReadMessage(detail);
        Assert.True(input.IsAtEnd);
        return (code, message, detail);
    }
}
