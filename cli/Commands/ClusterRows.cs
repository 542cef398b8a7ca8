using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary>Rows and columns made of <c>/v2/cluster</c>.</summary>
internal static class ClusterRows
{
    public static Column[] Models { get; } =
    [
        new("MODEL", static row => row.Text("name")),
        new("VERSION", static row => row["version"].Text("version")),
        new("STATE", static row => row["version"].Text("state")),
        new("READY", static row => Ready(row["version"])),
        new("LAST USED", static row => Fields.Duration(row["version"].Number("last_used_seconds"))),
        new("REQ/S", static row => Sum(row, "requests_per_second")),
        new("P50 MS", static row => Largest(row, "run_p50_ms"), IsWide: true),
        new("P99 MS", static row => Largest(row, "run_p99_ms"), IsWide: true),
        new("WAITING", static row => Sum(row, "waiting"), IsWide: true),
        new("DECLARED", static row => Fields.Bytes(row["version"].Number("declared_bytes")), IsWide: true),
        new("SCALED", static row => row["scaled"] is { } scaled ? ScaleCommand.Words(scaled.Number("min_copies"), scaled.Number("max_copies")) : "", IsWide: true),
        new("SILOS", static row => string.Join(' ', row["version"].List("copies").Select(static replica => replica.Text("silo"))), IsWide: true),
        new("WHY", static row => Why(row)),
    ];

    public static Column[] Silos { get; } =
    [
        new("SILO", static row => row.Text("silo")),
        new("STATUS", static row => row.Text("status") + (row.Is("draining") ? ", draining" : "") + (row.Is("disagrees") ? ", disagrees" : "")),
        new("REPLICAS", static row => row.Text("copies")),
        new("LOADING", static row => row.Text("loading")),
        new("MODELS", static row => $"{Fields.Bytes(row.Number("used_bytes"))} of {Fields.Bytes(row.Number("capacity_bytes"))}"),
        new("TENSORS", static row => $"{Fields.Bytes(row.Number("tensor_memory_bytes"))} of {Fields.Bytes(row.Number("tensor_memory_limit_bytes"))}"),
        new("REQ/MIN", static row => row.Text("requests_per_minute")),
        new("NAME", static row => row.Text("name"), IsWide: true),
        new("LABELS", static row => string.Join(',', row.List("labels")), IsWide: true),
        new("RUNTIME", static row => row.Text("runtime"), IsWide: true),
        new("OLDEST IDLE", static row => Fields.Duration(row.Number("oldest_idle_seconds")), IsWide: true),
    ];

    public static Column[] Totals { get; } =
    [
        new("CLUSTER", static row => row.Text("cluster")),
        new("SILOS", static row => row["totals"].Text("silos")),
        new("READY", static row => $"{row["totals"].Text("ready_copies")}/{row["totals"].Text("desired_copies")}"),
        new("REFUSED", static row => row["totals"].Text("rejected_requests")),
        new("STORE", static row => row["totals"].Is("store") ? "answers" : "away"),
        new("MODELS", static row => $"{row.List("models").Count()}", IsWide: true),
        new("MEMBERSHIP", static row => row.Text("membership_version"), IsWide: true),
    ];

    /// <summary>A row a version; one for a model without versions.</summary>
    public static IEnumerable<JsonNode> OfVersions(IEnumerable<JsonNode> models) => models.SelectMany(static model =>
    {
        var versions = model.List("versions").ToList();
        return versions.Count == 0
            ? [new JsonObject { ["name"] = model.Text("name"), ["problem"] = model.Text("problem") }]
            : versions.Select(version => new JsonObject { ["name"] = model.Text("name"), ["problem"] = model.Text("problem"), ["scaled"] = model["scaled"]?.DeepClone(), ["version"] = version.DeepClone() });
    });

    /// <summary>What is wrong with a model or one of its versions; else why its replicas changed last.</summary>
    private static string Why(JsonNode row) =>
        new[] { row.Text("problem"), row["version"].Text("reason"), row["version"].Text("cause") }.FirstOrDefault(static text => text.Length > 0) ?? "";

    /// <summary>Replicas of a version that answer.</summary>
    public static int Serving(JsonNode version) => version.List("copies").Count(static replica => replica.Text("state") == "SERVING");

    private static string Ready(JsonNode? version) => version is null ? "" : $"{Serving(version)}/{version.Text("desired_copies")}";

    private static IEnumerable<double> Of(JsonNode row, string name) => row["version"].List("copies").Select(replica => replica.Number(name)).OfType<double>();

    private static string Sum(JsonNode row, string name) => Of(row, name).ToList() is { Count: > 0 } values ? Fields.Short(values.Sum()) : "";

    private static string Largest(JsonNode row, string name) => Of(row, name).ToList() is { Count: > 0 } values ? Fields.Short(values.Max()) : "";
}
