using System.ComponentModel;
using System.Text.Json;
using Cluster.Tests.Common;

namespace Cluster.Deploy.Support;

/// <summary>The container engine that <c>docker</c> reaches.</summary>
internal static class Engine
{
    private static readonly Lazy<string?> Missing = new(FindMissingReason);

    /// <summary>Why nothing can be tested here; null if there is an engine.</summary>
    public static string? MissingReason => Missing.Value;

    public static Task<string> DockerAsync(params string[] arguments) => Command.RunAsync("docker", arguments);

    /// <summary>The containers of a service of a project, by id.</summary>
    /// <param name="all">Those that have ended too.</param>
    public static async Task<IReadOnlyList<string>> ContainersAsync(string project, string service, bool all = false) => (await DockerAsync(
            [.. (string[])["ps", "--quiet", "--no-trunc", "--filter", $"label=com.docker.compose.project={project}", "--filter", $"label=com.docker.compose.service={service}"], .. all ? (string[])["--all"] : []]))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What <c>docker inspect</c> says of an image or a container.</summary>
    public static async Task<JsonElement> InspectAsync(string name)
    {
        using var json = JsonDocument.Parse(await DockerAsync("inspect", name));
        return json.RootElement[0].Clone();
    }

    /// <summary>The command that is Compose here: the plugin, or the program of its own that was before it.</summary>
    public static async Task<IReadOnlyList<string>> ComposeAsync()
    {
        try
        {
            await DockerAsync("compose", "version");
            return ["docker", "compose"];
        }
        catch (InvalidOperationException)
        {
            return ["docker-compose"];
        }
    }

    private static string? FindMissingReason()
    {
        if (Environment.GetEnvironmentVariable("CLUSTER_NO_ENGINE") is { Length: > 0 } reason)
        {
            return reason;
        }

        try
        {
            DockerAsync("version").GetAwaiter().GetResult();
            return null;
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            return "no container engine answers: run ./test deploy, which starts one";
        }
    }
}
