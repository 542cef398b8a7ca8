using System.Text.Json;

namespace Cluster.Tests.Common;

/// <summary>What <c>GET /v2/cluster</c> of one gateway says.</summary>
public sealed record ClusterView(IReadOnlyList<NodeView> Nodes, IReadOnlyDictionary<string, ModelView> Models)
{
    public static ClusterView Parse(string text)
    {
        using var json = JsonDocument.Parse(text);
        var models = json.RootElement.GetProperty("models").EnumerateArray().Select(ModelView.Parse);
        return new ClusterView(
            [.. json.RootElement.GetProperty("nodes").EnumerateArray().Select(NodeView.Parse)],
            models.ToDictionary(static model => model.Name));
    }

    /// <summary>Silos that are members and neither dead nor leaving.</summary>
    public IReadOnlyList<NodeView> Active => [.. Nodes.Where(static node => node.Status == "Active")];

    public bool IsActive(string silo) => Active.Any(node => node.Silo == silo);

    /// <summary>Silos with a replica of the model that serves.</summary>
    public IReadOnlyList<string> SilosOf(string model) =>
        Models.TryGetValue(model, out var found) ? [.. found.Copies.Where(static replica => replica.State == "SERVING" && replica.Silo.Length > 0).Select(static replica => replica.Silo)] : [];

    /// <summary>How many replicas of these models serve on the silo.</summary>
    public int ReplicasOn(string silo, IEnumerable<string> models) => models.Sum(model => SilosOf(model).Count(holder => holder == silo));
}
