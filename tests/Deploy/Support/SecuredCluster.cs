using System.Globalization;
using Cluster.Tests.Common;

namespace Cluster.Deploy.Support;

/// <summary>A cluster of one silo with TLS and identities outside, from the clone and the images of another; removed with its volumes in the end.</summary>
internal sealed class SecuredCluster : IAsyncDisposable
{
    private readonly ComposeCluster _beside;
    private readonly Dictionary<string, string> _environment;

    private SecuredCluster(ComposeCluster beside)
    {
        var ports = FreePort.Take(2);
        _beside = beside;
        Project = beside.Project + "s";
        Url = string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{ports[0]}");
        _environment = new Dictionary<string, string>
        {
            ["COMPOSE_PROJECT_NAME"] = Project,
            ["COMPOSE_FILE"] = "docker-compose.yml:deploy/secured/compose.yml",
            ["HTTP_PORT"] = ports[0].ToString(CultureInfo.InvariantCulture),
            ["GRPC_PORT"] = ports[1].ToString(CultureInfo.InvariantCulture),
        };
    }

    public string Project { get; }

    public string Url { get; }

    /// <summary>Returns once the engine calls every container healthy; the clone then has what clients need in <c>client</c>.</summary>
    public static async Task<SecuredCluster> StartAsync(ComposeCluster beside)
    {
        var cluster = new SecuredCluster(beside);
        try
        {
            await cluster.ComposeAsync("up", "-d", "--no-build");
            await beside.UntilAsync(cluster.AllHealthyAsync, TimeSpan.FromMinutes(1), "every container of the secured cluster is healthy");
            await Engine.DockerAsync("cp", (await Engine.ContainersAsync(cluster.Project, "identities", all: true))[0] + ":/run/client", Path.Combine(beside.Root, "client"));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await ComposeAsync("down", "--volumes", "--timeout", "20");

    private Task<string> ComposeAsync(params string[] arguments) => _beside.ComposeAsync(_environment, arguments);

    private async Task<bool> AllHealthyAsync()
    {
        foreach (var service in new[] { "redis", "silo", "gateway" })
        {
            if (await Engine.ContainersAsync(Project, service) is not [var container] ||
                (await Engine.InspectAsync(container)).GetProperty("State").GetProperty("Health").GetProperty("Status").GetString() != "healthy")
            {
                return false;
            }
        }

        return true;
    }
}
