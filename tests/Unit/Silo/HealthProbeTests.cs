using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Silo.Hosting;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Silo;

public sealed class HealthProbeTests
{
    [Theory]
    [InlineData("200 OK", HealthProbe.Ready, "ready: 127.0.0.1:{0} answers 200")]
    [InlineData("503 Service Unavailable", HealthProbe.NotReady, "not ready: 127.0.0.1:{0} answers 503")]
    [InlineData("301 Moved Permanently", HealthProbe.NotReady, "not ready: 127.0.0.1:{0} answers 301")]
    public async Task Run_ServerThatAnswers_IsReadyOnlyWith200(string status, int expected, string line)
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var asked = AnswerAsync(listener, status);

        var (code, output) = await RunAsync("0.0.0.0", port);

        Assert.Equal((expected, string.Format(CultureInfo.InvariantCulture, line, port)), (code, output));
        Assert.StartsWith("GET /v2/health/ready HTTP/1.1", await asked.Soon(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoListener_IsNotReadyAndSaysWhy()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();

        var (code, output) = await RunAsync("127.0.0.1", port);

        Assert.Equal(HealthProbe.NotReady, code);
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"not ready: 127.0.0.1:{port} cannot be asked: "), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WithTlsAndAServerWithout_SaysSo()
    {
        using var certificates = TestCertificates.Create("127.0.0.1");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var asked = AnswerAsync(listener, "400 Bad Request");
        using var output = new StringWriter();
        var options = new ServeOptions { Bind = "127.0.0.1", HttpPort = port, TlsCert = certificates.Certificate, TlsKey = certificates.Key };

        Assert.Equal(HealthProbe.NotReady, await HealthProbe.RunAsync(options, output, CancellationToken.None).Soon());
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"not ready: 127.0.0.1:{port} speaks no TLS, though --tls-cert is given"), output.ToString().Trim());
        await asked.Soon();
    }

    [Theory]
    [InlineData("127.0.0.1", 0)]
    [InlineData("localhost", 8000)]
    public async Task Run_OptionsThatSayNotWhereTheServerListens_IsAUsageError(string bind, int port)
    {
        var (code, output) = await RunAsync(bind, port);

        Assert.Equal(HealthProbe.UsageError, code);
        Assert.Contains($"'{bind}'", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parse_Health_TakesWhereTheServerListensAndNothingElse()
    {
        GivenOptions? given = null;
        var command = ServeCommand.Create(_ => Task.FromResult(0), options =>
        {
            given = options;
            return Task.FromResult(7);
        });

        Assert.Equal(7, await ServeCommand.InvokeAsync(command.Parse(["health", "--http-port", "17"])));
        Assert.Equal([new("Cluster:HttpPort", "17")], given!.Values);
        Assert.Equal(7, await ServeCommand.InvokeAsync(command.Parse(["health", "--redis", "a:1"])));
        Assert.Equal(["'--redis' is unknown"], given.Mistakes);
    }

    private static async Task<(int Code, string Line)> RunAsync(string bind, int port)
    {
        using var output = new StringWriter();
        var code = await HealthProbe.RunAsync(new ServeOptions { Bind = bind, HttpPort = port }, output, CancellationToken.None).Soon();
        return (code, output.ToString().Trim());
    }

    /// <summary>Answers one request; returns what was asked.</summary>
    private static async Task<string> AnswerAsync(TcpListener listener, string status)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        var buffer = new byte[4096];
        var read = await stream.ReadAsync(buffer);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n"));
        return Encoding.ASCII.GetString(buffer, 0, read);
    }
}
