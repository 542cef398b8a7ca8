using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Options;

/// <summary>Finds every mistake in the options at once, each with the option, its value and what would be right.</summary>
internal static partial class ServeOptionsValidator
{
    public static IReadOnlyList<string> Validate(ServeOptions options)
    {
        var mistakes = new List<string>();
        Check(IPAddress.TryParse(options.Bind, out _), "bind", options.Bind, "an IP address");
        Check(options.HttpPort is >= 0 and <= 65535, "http-port", options.HttpPort, "0 to 65535");
        Check(options.GrpcPort is >= 0 and <= 65535, "grpc-port", options.GrpcPort, "0 to 65535");
        Check(options.HttpPort != options.GrpcPort || options.HttpPort == 0, "grpc-port", options.GrpcPort, "another port than http-port's");
        CheckCluster();
        Check(options.PollSeconds is 0 or (>= 0.1 and <= 86_400), "poll-seconds", options.PollSeconds, "0, or 0.1 to 86400");
        Check(options.MaxMessageMiB is >= 1 and <= 2000, "max-message-mib", options.MaxMessageMiB, "1 to 2000");
        Check(
            CacheCapacity.TryParse(options.Capacity, out _),
            "capacity",
            options.Capacity ?? "",
            "a number of at least 1 MiB with KiB, MiB, GiB, TiB or no unit for bytes, or unlimited");
        Check(options.InferenceThreads is >= 0 and <= 4096, "inference-threads", options.InferenceThreads, "0 to 4096");
        Check(options.QueueLimit is >= 0 and <= 1_000_000, "queue-limit", options.QueueLimit, "0 to 1000000");
        Check(options.StopSeconds is >= 1 and <= 3600, "stop-seconds", options.StopSeconds, "1 to 3600");
        Check(options.ServerName.Length > 0, "server-name", options.ServerName, "a name");
        Check(options.LogFormat is "text" or "json", "log-format", options.LogFormat, "text or json");
        Check(
            Enum.TryParse<LogLevel>(options.LogLevel, ignoreCase: true, out var level) && Enum.IsDefined(level),
            "log-level",
            options.LogLevel,
            "Trace, Debug, Information, Warning or Error");
        return mistakes;

        void CheckCluster()
        {
            Check(
                options.Redis is not null ? IsRedis(options.Redis) : options.Role == ServeRole.All,
                "redis",
                options.Redis ?? "",
                options.Redis is null ? $"host:port, which a {options.Role.ToString().ToLowerInvariant()} needs" : "host:port, several separated by commas");
            Check(options.RedisPasswordFile is null || options.Redis is not null, "redis-password-file", options.RedisPasswordFile ?? "", "nothing without redis");
            Check(ClusterName().IsMatch(options.ClusterId), "cluster-id", options.ClusterId, "1 to 63 letters, digits, dots, dashes or underscores");
            Check(options.SiloPort is >= 0 and <= 65535, "silo-port", options.SiloPort, "0 to 65535");
            Check(
                options.Advertise is null || (IPAddress.TryParse(options.Advertise, out var address) && !Equals(address, IPAddress.Any) && !Equals(address, IPAddress.IPv6Any)),
                "advertise",
                options.Advertise ?? "",
                "an IP address that other machines can connect to");
            Check(SiloLabels.TryParse(options.Labels, out _), "labels", options.Labels, "names of letters, digits, dots, dashes or underscores, separated by commas");
        }

        void Check(bool right, string option, object value, string expected)
        {
            if (!right)
            {
                mistakes.Add($"--{option} is '{value}', expected {expected}");
            }
        }
    }

    private static bool IsRedis(string text) => text.Split(',').All(endpoint =>
        endpoint.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0);

    [GeneratedRegex("^[A-Za-z0-9._-]{1,63}$")]
    private static partial Regex ClusterName();
}
