using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Cluster.Contracts.Options;
using Cluster.Gateway.Security.Tokens;
using Cluster.Grains.Objects;

namespace Cluster.Silo.Options;

/// <summary>An address in its usual form: not <c>127.1</c>, <c>0x7f.1</c>, or an IPv6 address in brackets.</summary>
internal sealed class IpAddressAttribute() : TextAttribute("an IP address")
{
    protected override bool IsRight(string text) => Parse(text) is not null;

    public static IPAddress? Parse(string text) =>
        IPAddress.TryParse(text, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? text[0] != '[' : address.ToString() == text) ? address : null;
}

/// <summary>An address of one machine.</summary>
internal sealed class ReachableAddressAttribute() : TextAttribute("an IP address that other machines can connect to")
{
    protected override bool IsRight(string text) =>
        IpAddressAttribute.Parse(text) is { IsIPv6Multicast: false } address && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
        && !address.Equals(IPAddress.Broadcast);
}

/// <summary>Host and port of one or more servers.</summary>
internal sealed class EndpointsAttribute() : TextAttribute("host:port, several separated by commas")
{
    protected override bool IsRight(string text) => text.Split(',').All(static endpoint =>
        endpoint.LastIndexOf(':') is > 0 and var colon
        && ushort.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
        && IsHost(endpoint[..colon]));

    /// <summary>An IPv6 address stands in brackets, so that its last part is not taken for a port.</summary>
    private static bool IsHost(string host) => Uri.CheckHostName(host) == UriHostNameType.IPv6 ? host[0] == '[' : Uri.CheckHostName(host) != UriHostNameType.Unknown;
}

internal sealed class LabelsAttribute() : TextAttribute("names of letters, digits, dots, dashes or underscores, separated by commas")
{
    protected override bool IsRight(string text) => SiloLabels.TryParse(text, out _);
}

internal sealed class CapacityAttribute() : TextAttribute("a number of at least 1 MiB with KiB, MiB, GiB, TiB or no unit for bytes, or unlimited")
{
    protected override bool IsRight(string text) => CacheCapacity.TryParse(text, out _);
}

/// <summary>A folder, or an address of object storage in its right form.</summary>
internal sealed class PlaceAttribute() : TextAttribute("a folder, or s3://bucket/prefix")
{
    protected override bool IsRight(string text) => !text.Contains("://", StringComparison.Ordinal) || ObjectAddress.Parse(text) is not null;
}

/// <summary>A file, or the address of a key set.</summary>
internal sealed class KeySetAttribute() : TextAttribute("a file, or an https:// address")
{
    protected override bool IsRight(string text) => !TokenKeyAddress.IsAddress(text) || TokenKeyAddress.Parse(text) is not null;
}

/// <summary>Reads the option <c>--labels</c>.</summary>
internal static partial class SiloLabels
{
    /// <param name="text">Names separated by commas; empty for none.</param>
    public static bool TryParse(string text, out ImmutableSortedSet<string> labels)
    {
        labels = text.Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries).ToImmutableSortedSet(StringComparer.Ordinal);
        return labels.All(label => Label().IsMatch(label));
    }

    /// <summary>The labels. The text is valid.</summary>
    public static ImmutableSortedSet<string> Of(string text) => TryParse(text, out var labels) ? labels : [];

    [GeneratedRegex("^[A-Za-z0-9._-]{1,63}$")]
    private static partial Regex Label();
}
