using System.Text.Json.Nodes;
using Cluster.Cli.Documents;
using Cluster.Contracts.Protocol.Mesh;

namespace Cluster.Cli.Connection;

/// <summary>All pages of the registry's lists.</summary>
internal static class RegistryLists
{
    public static async Task<List<VModelEntry>> AliasesAsync(ClusterClient client, CancellationToken cancellationToken)
    {
        var all = new List<VModelEntry>();
        var token = "";
        do
        {
            var page = await client.CallAsync(client.Registry.listVModelsAsync(new ListVModelsRequest { PageToken = token }, cancellationToken: cancellationToken));
            all.AddRange(page.VModels);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return all;
    }

    /// <summary>The traffic rules of aliases by their names, with their states.</summary>
    public static async Task<Dictionary<string, JsonNode>> TrafficAsync(ClusterClient client, CancellationToken cancellationToken) =>
        (await client.GetAsync(Paths.Aliases, cancellationToken)).List("aliases")
            .Where(static alias => alias["traffic"] is not null)
            .ToDictionary(static alias => alias.Text("alias"), static alias => alias["traffic"]!, StringComparer.Ordinal);

    public static async Task<List<ModelEntry>> ModelsAsync(ClusterClient client, string prefix, CancellationToken cancellationToken)
    {
        var all = new List<ModelEntry>();
        var token = "";
        do
        {
            var page = await client.CallAsync(client.Registry.listModelsAsync(new ListModelsRequest { Prefix = prefix, PageToken = token }, cancellationToken: cancellationToken));
            all.AddRange(page.Models);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return all;
    }
}
