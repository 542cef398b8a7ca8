using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Refuses settings that cannot work, all of them at once.</summary>
internal sealed class RedisClusteringOptionsValidator : IValidateOptions<RedisClusteringOptions>
{
    private const int LargestDatabase = 1 << 16;

    public ValidateOptionsResult Validate(string? name, RedisClusteringOptions options)
    {
        var failures = new List<string>();
        if (options.Endpoints.Count == 0)
        {
            failures.Add($"{nameof(options.Endpoints)} is empty; at least one host:port is needed");
        }

        failures.AddRange(options.Endpoints
            .Where(static endpoint => !TryParse(endpoint, out _))
            .Select(endpoint => $"{nameof(options.Endpoints)} has '{endpoint}'; expected host:port"));
        if (options.Database is < 0 or > LargestDatabase)
        {
            failures.Add($"{nameof(options.Database)} is {options.Database}; it must be between 0 and {LargestDatabase}");
        }

        RequirePositive(failures, nameof(options.ConnectTimeout), options.ConnectTimeout);
        RequirePositive(failures, nameof(options.OperationTimeout), options.OperationTimeout);
        RequirePositive(failures, nameof(options.RenewAfter), options.RenewAfter);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>Reads <c>host:port</c>; an IPv6 address stands in brackets.</summary>
    public static bool TryParse(string? text, out EndPoint endpoint)
    {
        endpoint = new IPEndPoint(IPAddress.None, 0);
        var colon = text?.LastIndexOf(':') ?? -1;
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return false;
        }

        var host = text![..colon].Trim('[', ']');
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            return false;
        }

        endpoint = IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
        return true;
    }

    private static void RequirePositive(List<string> failures, string property, TimeSpan value)
    {
        if (value <= TimeSpan.Zero || value > TimeSpan.FromMinutes(1))
        {
            failures.Add($"{property} is {value}; it must be positive and at most 1 min");
        }
    }
}
