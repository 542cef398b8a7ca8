namespace Cluster.Cli.Connection;

/// <summary>The gateway's routes, as docs/rest.md has them.</summary>
internal static class Paths
{
    public const string Server = "/v2";
    public const string Ready = "/v2/health/ready";
    public const string Cluster = "/v2/cluster";
    public const string Events = "/v2/cluster/events";
    public const string Aliases = "/v2/aliases";
    public const string Metrics = "/metrics";

    /// <param name="version">Null where the server chooses.</param>
    public static string Model(string model, string? version = null) => $"/v2/models/{Uri.EscapeDataString(model)}{(version is null ? "" : $"/versions/{Uri.EscapeDataString(version)}")}";

    public static string Load(string model) => $"/v2/repository/models/{Uri.EscapeDataString(model)}/load";

    public static string Unload(string model) => $"/v2/repository/models/{Uri.EscapeDataString(model)}/unload";

    public static string Scale(string model) => $"/v2/repository/models/{Uri.EscapeDataString(model)}/scale";

    /// <param name="drains">Whether to drain the silo, or to have it take replicas again.</param>
    public static string Drain(string silo, bool drains) => $"/v2/cluster/silos/{Uri.EscapeDataString(silo)}/{(drains ? "drain" : "undrain")}";

    public static string Traffic(string alias) => $"/v2/aliases/{Uri.EscapeDataString(alias)}/traffic";

    public static string Placement(string model) => $"/v2/cluster/models/{Uri.EscapeDataString(model)}/placement";
}
