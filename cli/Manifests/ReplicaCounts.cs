using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Manifests;

/// <summary>The replica bounds of a model's settings, with defaults for missing ones.</summary>
/// <param name="Least">At least 1.</param>
/// <param name="Most">0 for as many as there are silos.</param>
internal sealed record ReplicaCounts(int Least, int Most)
{
    private const string LeastKey = "min_copies";
    private const string MostKey = "max_copies";

    /// <param name="settings">Of a model.json; null for none.</param>
    public static ReplicaCounts Of(JsonNode? settings) => new((int)(settings.Number(LeastKey) ?? 1), (int)(settings.Number(MostKey) ?? 0));

    /// <summary>Settings without their bounds.</summary>
    public static JsonNode? Without(JsonNode? settings)
    {
        var rest = settings?.DeepClone() as JsonObject;
        rest?.Remove(LeastKey);
        rest?.Remove(MostKey);
        return rest;
    }

    /// <summary>As <c>2 to 4 replicas</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Least} to {(Most == 0 ? "all silos'" : Most)} replicas");
}
