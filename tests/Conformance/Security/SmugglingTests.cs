using System.Net.Sockets;
using System.Text;
using Cluster.Conformance.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Security;

/// <summary>
/// Requests of HTTP/1.1 whose end can be read in two ways. A proxy before the server may read them in the other one, so that what follows is another's request: none may be answered and its
/// connection kept.
/// </summary>
[Collection(ServerCollection.Name)]
public sealed class SmugglingTests(ServerFixture fixture)
{
    private const string Follows = "GET /v2/health/live HTTP/1.1\r\nHost: follows\r\n\r\n";

    public static TheoryData<string, string> Requests => new()
    {
        { "a lone LF in a chunk's extension", "Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n{}\r\n0\r\n\r\n" },
        { "a lone LF after a chunk's length", "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n" },
        { "a lone CR in a chunk's extension", "Transfer-Encoding: chunked\r\n\r\n2;a\rb\r\n{}\r\n0\r\n\r\n" },
        { "a length and chunks", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        { "two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} " },
        { "a list of lengths", "Content-Length: 2, 2\r\n\r\n{}" },
        { "a negative length", "Content-Length: -1\r\n\r\n{}" },
        { "a length with a sign", "Content-Length: +2\r\n\r\n{}" },
        { "a length with a sign that is none", "Content-Length: -0\r\n\r\n" },
        { "no length", "Content-Length: \r\n\r\n{}" },
        { "a length of other digits", "Content-Length: \u00b2\r\n\r\n{}" },
        { "a length in hexadecimal", "Content-Length: 0x2\r\n\r\n{}" },
        { "a length beyond numbers", "Content-Length: 99999999999999999999\r\n\r\n{}" },
        { "another coding after chunks", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" },
        { "a coding that is none", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
        { "a space before the colon", "Content-Length : 2\r\n\r\n{}" },
        { "a header that goes on in the next line", "Content-Length: 2\r\n Transfer-Encoding: chunked\r\n\r\n{}" },
        { "a chunk that is too long a number", "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n" },
        { "a chunk with a sign", "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" },
        { "a chunk that is longer than it says", "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" },
        { "a NUL in a header", "X: a\0b\r\nContent-Length: 2\r\n\r\n{}" },
        { "a header without a name", ": a\r\nContent-Length: 2\r\n\r\n{}" },
        { "a version that is none", "" },
        { "two hosts", "Host: y\r\nContent-Length: 2\r\n\r\n{}" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task RequestThatEndsInTwoWays_IsRefusedAndItsConnectionClosed(string what, string rest)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", fixture.Server.HttpPort).Soon();
        var stream = client.GetStream();
        var first = rest.Length == 0 ? "POST /v2/repository/index HTTP/1.10\r\nHost: x\r\n\r\n" : $"POST /v2/repository/index HTTP/1.1\r\nHost: x\r\n{rest}";
        await stream.WriteAsync(Encoding.Latin1.GetBytes(first + Follows)).AsTask().Soon();

        var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer).Soon($"the end of the connection after {what}");
        }
        catch (IOException)
        {
            // Closed with bytes that the server had not read: a reset.
        }

        var text = Encoding.Latin1.GetString(answer.ToArray());
        Assert.DoesNotContain("\"live\"", text, StringComparison.Ordinal);

        // RFC 9112, 6.3: a message with both lengths may be read by its chunks if its connection ends.
        Assert.True(text.Length == 0 || text.Split(' ')[1] is "400" or "501" or "505" or "413" || what == "a length and chunks", $"{what}: {text}");
    }
}
