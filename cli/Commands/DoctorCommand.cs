using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>doctor</c>: looks at what fails most, and says what to look at next.</summary>
internal static class DoctorCommand
{
    private const string Fine = "fine";
    private const string Warning = "warning";
    private const string Bad = "failed";

    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    private static readonly Column[] Columns =
    [
        new("CHECK", static row => row.Text("check")),
        new("RESULT", static row => row.Text("result")),
        new("DETAIL", static row => row.Text("detail")),
    ];

    /// <summary>The gateway's metrics that say when something ends.</summary>
    private static readonly (string Metric, string Check)[] Ends =
    [
        ("cluster_tls_certificate_end_time_seconds", "gateway's certificate"),
        ("cluster_peer_certificate_end_time_seconds", "peer certificate"),
        ("cluster_peer_revocations_end_time_seconds", "peer revocation lists"),
        ("cluster_api_key_end_time_seconds", "API key"),
    ];

    public static Command Create(Verbs verbs) => verbs.Create("doctor", "Checks the way to the gateway and the cluster's state; exit code 1 if a check failed; needs observe.", async (session, _, cancellationToken) =>
    {
        var checks = new List<JsonNode>();
        var (client, time) = (session.Client, session.Surroundings.Time);
        var start = time.GetTimestamp();
        var server = await client.GetAsync(Paths.Server, cancellationToken);
        checks.Add(Check("gateway", Fine, string.Create(CultureInfo.InvariantCulture, $"{session.Connection.Server} answered in {time.GetElapsedTime(start).TotalMilliseconds:0} ms")));
        checks.Add(Check("versions", Fine, $"{server.Text("name")} {server.Text("version")}, ONNX Runtime {string.Join(", ", server.List("runtimes"))}"));
        AddEnd(checks, "server's certificate", client.ServerCertificateEnd, time);
        AddEnd(checks, "client's certificate", session.Connection.Certificate is { } own ? new DateTimeOffset(own.NotAfter) : null, time);
        checks.Add(await client.IsReadyAsync(Paths.Ready, cancellationToken) ? Check("ready", Fine, "the gateway takes requests") : Check("ready", Bad, "the gateway is starting, draining or stopping"));
        AddCluster(checks, await client.GetAsync(Paths.Cluster, cancellationToken));
        AddEnds(checks, await client.GetTextAsync(Paths.Metrics, cancellationToken), time);
        session.Output.Write(new JsonArray([.. checks.Select(static check => check.DeepClone())]), checks, Columns);
        return checks.Exists(static check => check.Text("result") == Bad) ? ExitCodes.Failed : ExitCodes.Done;
    });

    private static JsonObject Check(string check, string result, string detail) => new() { ["check"] = check, ["result"] = result, ["detail"] = detail };

    private static void AddCluster(List<JsonNode> checks, JsonNode cluster)
    {
        var silos = cluster.List("nodes").ToList();
        var active = silos.Count(static silo => silo.Text("status") == "Active");
        checks.Add(Check("silos", active == 0 ? Bad : active < silos.Count ? Warning : Fine, $"{active} of {silos.Count} active"));
        var runtimes = silos.Select(static silo => silo.Text("runtime")).Where(static runtime => runtime.Length > 0).Distinct().ToList();
        if (runtimes.Count > 1)
        {
            checks.Add(Check("runtimes", Warning, $"silos differ: {string.Join("; ", runtimes)}"));
        }

        foreach (var silo in silos.Where(static silo => silo.Is("disagrees")))
        {
            checks.Add(Check("repository", Bad, $"{silo.Text("silo")} has other model files than the cluster"));
        }

        checks.Add(cluster["totals"].Is("store") ? Check("store", Fine, "Redis answers, or none is needed") : Check("store", Bad, "Redis does not answer: what is registered or moved now may be lost"));
        var failed = ClusterRows.OfVersions(cluster.List("models")).Where(static row => row.Text("problem").Length > 0 || row["version"].Is("failed")).ToList();
        foreach (var row in failed)
        {
            var reason = row.Text("problem") is { Length: > 0 } problem ? problem : row["version"].Text("reason");
            checks.Add(Check("model", Bad, $"'{row.Text("name")}' {row["version"].Text("version")}: {reason}"));
        }

        if (failed.Count == 0)
        {
            checks.Add(Check("models", Fine, $"none of {cluster.List("models").Count()} failed"));
        }
    }

    private static void AddEnds(List<JsonNode> checks, string metrics, TimeProvider time)
    {
        foreach (var line in metrics.Split('\n'))
        {
            foreach (var (metric, check) in Ends)
            {
                if (line.StartsWith(metric, StringComparison.Ordinal) && double.TryParse(line[(line.LastIndexOf(' ') + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
                {
                    var labels = line[metric.Length..line.LastIndexOf(' ')];
                    AddEnd(checks, labels.Length > 2 ? $"{check} {labels}" : check, DateTimeOffset.FromUnixTimeSeconds((long)seconds), time);
                }
            }
        }
    }

    private static void AddEnd(List<JsonNode> checks, string check, DateTimeOffset? end, TimeProvider time)
    {
        if (end is { } known)
        {
            var left = known - time.GetUtcNow();
            var result = left <= TimeSpan.Zero ? Bad : left < Soon ? Warning : Fine;
            checks.Add(Check(check, result, string.Create(CultureInfo.InvariantCulture, $"{(left <= TimeSpan.Zero ? "ended" : "ends")} {known.UtcDateTime:yyyy-MM-dd HH:mm} UTC")));
        }
    }
}
