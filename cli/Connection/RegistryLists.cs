using Cluster.Contracts.Protocol.Mesh;

namespace Cluster.Cli.Connection;

/// <summary>All pages of what the registry lists.</summary>
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
