using System.Text.Json;

namespace Cluster.Bench.Server;

/// <summary>What <c>GET /v2/cluster</c> of a gateway says, as far as it is needed here.</summary>
/// <param name="ActiveSilos">Addresses of members that are neither dead nor leaving.</param>
/// <param name="Holders">For each model the silos with a replica that serves.</param>
internal sealed record ClusterReplicas(IReadOnlySet<string> ActiveSilos, IReadOnlyDictionary<string, IReadOnlyList<string>> Holders)
{
    public static ClusterReplicas Parse(Stream json)
    {
        using var document = JsonDocument.Parse(json);
        var nodes = document.RootElement.GetProperty("nodes").EnumerateArray();
        var models = document.RootElement.GetProperty("models").EnumerateArray();
        return new ClusterReplicas(
            nodes.Where(static node => Text(node, "status") == "Active").Select(static node => Address(node)).ToHashSet(),
            models.ToDictionary(static model => Text(model, "name"), SilosOf));
    }

    /// <summary>How many replicas of these models serve on the silo.</summary>
    public int On(string silo, IEnumerable<string> models) => models.Sum(model => Of(model).Count(holder => holder == silo));

    public IReadOnlyList<string> Of(string model) => Holders.GetValueOrDefault(model, []);

    private static IReadOnlyList<string> SilosOf(JsonElement model) =>
    [
        .. model.GetProperty("versions").EnumerateArray().SelectMany(static version => version.GetProperty("copies").EnumerateArray())
            .Where(static replica => Text(replica, "state") == "SERVING" && replica.TryGetProperty("silo", out _)).Select(static replica => Address(replica)),
    ];

    /// <summary>What stands before the generation in <c>address:port@generation</c>.</summary>
    private static string Address(JsonElement element) => Text(element, "silo").Split('@')[0];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
}
