using System.Net.Sockets;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>More idle connections than there may be file descriptors.</summary>
public sealed class ConnectionTests
{
    private const int Connections = 1224;

    [Fact]
    public async Task Connect_MoreThanTheLimitAndIdle_HealthIsAnsweredMeanwhile()
    {
        using var models = ModelFolder.Create();
        models.Add(Path.Combine(TestPaths.TestModels, "add_one"));
        await using var server = await ServerProcess.StartAsync(["--models", models.Path, "--max-connections", "100"]);
        var idle = new List<TcpClient>();
        try
        {
            for (var i = 0; i < Connections; i++)
            {
                var client = new TcpClient();
                idle.Add(client);
                await client.ConnectAsync("127.0.0.1", server.HttpPort);
            }

            using var http = new HttpClient();
            for (var i = 0; i < 10; i++)
            {
                using var answer = await http.GetAsync(new Uri($"{server.HttpUrl}/v2/health/ready"));
                Assert.True(answer.IsSuccessStatusCode);
            }
        }
        finally
        {
            idle.ForEach(static client => client.Dispose());
        }
    }
}
