using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Support;

/// <summary>One HTTP/1.1 connection whose bytes the test writes itself.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    private RawConnection(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    public static async Task<RawConnection> OpenAsync(ServerProcess server)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", server.HttpPort).Soon();
        return new RawConnection(client);
    }

    /// <summary>A POST with its length, kept alive.</summary>
    public static string Post(string path, string body) =>
        string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public static string Get(string path) => $"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n";

    public Task SendAsync(string text) => _stream.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask().Soon();

    /// <summary>The next response: its status and, where it has a Content-Length, its body.</summary>
    public async Task<(int Status, string Body)> ReadAsync()
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append((char)(await ReadAsync(1))[0]);
        }

        var lines = head.ToString().Split("\r\n");
        const string Length = "content-length:";
        var length = lines.FirstOrDefault(static line => line.StartsWith(Length, StringComparison.OrdinalIgnoreCase))?[Length.Length..];
        return (int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture),
            length is null ? "" : Encoding.UTF8.GetString(await ReadAsync(int.Parse(length, CultureInfo.InvariantCulture))));
    }

    /// <summary>Whether the server has closed the connection and sent nothing more.</summary>
    public async Task<bool> IsClosedAsync() => await _stream.ReadAsync(new byte[1]).AsTask().Soon() == 0;

    public void Dispose() => _client.Dispose();

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes).AsTask().Soon();
        return bytes;
    }
}
