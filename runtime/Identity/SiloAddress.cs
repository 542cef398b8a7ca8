using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Cluster.Runtime;

/// <summary>
/// The identity of one run of a silo: where it listens, and its generation, which tells runs on the same end point apart.
/// Prints as <c>S127.0.0.1:11111:12345</c>; its parsable form is <c>127.0.0.1:11111@12345</c>.
/// </summary>
public sealed class SiloAddress : IEquatable<SiloAddress>, IComparable<SiloAddress>
{
    private readonly int _hash;

    private SiloAddress(IPEndPoint endpoint, int generation)
    {
        Endpoint = endpoint;
        Generation = generation;
        _hash = StableHash(ToParsableString());
    }

    /// <summary>An address that no silo has.</summary>
    public static SiloAddress Zero { get; } = New(IPAddress.Any, 0, 0);

    /// <summary>Where the silo listens for other silos and for clients.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Larger for a later run on the same end point.</summary>
    public int Generation { get; }

    public static SiloAddress New(IPEndPoint ep, int gen) => new(ep, gen);

    public static SiloAddress New(IPAddress address, int port, int generation) => new(new IPEndPoint(address, port), generation);

    /// <summary>Reads either printed form.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static SiloAddress FromParsableString(string addr) =>
        TryParse(addr, out var address)
            ? address
            : throw new FormatException($"'{addr}' is not a silo address; expected ip:port@generation");

    private static bool TryParse(string text, [NotNullWhen(true)] out SiloAddress? address)
    {
        address = null;
        var printed = text.StartsWith('S');
        var split = printed ? text.LastIndexOf(':') : text.LastIndexOf('@');
        if (split <= 0
            || !IPEndPoint.TryParse(text.AsSpan(printed ? 1 : 0, split - (printed ? 1 : 0)), out var endpoint)
            || !int.TryParse(text.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var generation))
        {
            return false;
        }

        address = New(endpoint, generation);
        return true;
    }

    /// <summary><c>ip:port@generation</c>.</summary>
    public string ToParsableString() => string.Create(CultureInfo.InvariantCulture, $"{Endpoint}@{Generation}");

    /// <summary>A hash that is the same in every process.</summary>
    public int GetConsistentHashCode() => _hash;

    /// <summary>True if both are runs on the same end point and this one is the later.</summary>
    public bool IsSuccessorOf(SiloAddress other) => Endpoint.Equals(other.Endpoint) && Generation > other.Generation;

    /// <summary>True if both are runs on the same end point and this one is the earlier.</summary>
    public bool IsPredecessorOf(SiloAddress other) => other.IsSuccessorOf(this);

    public bool Equals(SiloAddress? other) =>
        ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && Generation == other.Generation && Endpoint.Equals(other.Endpoint));

    public override bool Equals(object? obj) => Equals(obj as SiloAddress);

    public override int GetHashCode() => _hash;

    public int CompareTo(SiloAddress? other) =>
        other is null ? 1 : string.CompareOrdinal(ToParsableString(), other.ToParsableString());

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"S{Endpoint}:{Generation}");

    public static bool operator ==(SiloAddress? left, SiloAddress? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(SiloAddress? left, SiloAddress? right) => !(left == right);

    public static bool operator <(SiloAddress left, SiloAddress right) => left.CompareTo(right) < 0;

    public static bool operator >(SiloAddress left, SiloAddress right) => left.CompareTo(right) > 0;

    public static bool operator <=(SiloAddress left, SiloAddress right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SiloAddress left, SiloAddress right) => left.CompareTo(right) >= 0;

    // FNV-1a: string.GetHashCode differs from process to process.
    private static int StableHash(string text)
    {
        var hash = 2166136261u;
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 16777619u);
        }

        return unchecked((int)hash);
    }
}
