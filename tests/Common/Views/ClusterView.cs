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

/// <summary>A model as <c>GET /v2/cluster</c> shows it; the replicas of all its versions together.</summary>
public sealed record ModelView(string Name, IReadOnlyList<ReplicaView> Copies, IReadOnlyList<string> States, IReadOnlyList<string> FailedOn)
{
    public static ModelView Parse(JsonElement model)
    {
        var versions = model.GetProperty("versions").EnumerateArray().ToList();
        return new ModelView(
            model.GetProperty("name").GetString()!,
            [.. versions.SelectMany(static version => version.GetProperty("copies").EnumerateArray()).Select(ParseReplica)],
            [.. versions.Select(static version => version.GetProperty("state").GetString()!)],
            [.. versions.SelectMany(static version => version.GetProperty("failed_on").EnumerateArray()).Select(static silo => silo.GetString()!)]);
    }

    private static ReplicaView ParseReplica(JsonElement replica) => new(
        replica.TryGetProperty("copy", out var number) ? number.GetInt32() : null, replica.GetProperty("state").GetString()!, replica.TryGetProperty("silo", out var silo) ? silo.GetString()! : "");
}

/// <summary>A silo as <c>GET /v2/cluster</c> shows it.</summary>
public sealed record NodeView(string Silo, string Status, bool Draining, long Capacity, long Used, int Copies, int Loading)
{
    public static NodeView Parse(JsonElement node) => new(
        node.GetProperty("silo").GetString()!,
        node.GetProperty("status").GetString()!,
        node.GetProperty("draining").GetBoolean(),
        node.GetProperty("capacity_bytes").GetInt64(),
        node.GetProperty("used_bytes").GetInt64(),
        node.GetProperty("copies").GetInt32(),
        node.GetProperty("loading").GetInt32());
}

/// <summary>A replica as <c>GET /v2/cluster</c> shows it.</summary>
/// <param name="State">SERVING, LOADING or ON_DEMAND.</param>
/// <param name="Silo">Empty where it is on none.</param>
public sealed record ReplicaView(int? Number, string State, string Silo);
