using System.Globalization;

namespace Cluster.Runtime;

/// <summary>The version of the membership: each change of the cluster has a larger one.</summary>
public readonly struct MembershipVersion : IEquatable<MembershipVersion>, IComparable<MembershipVersion>
{
    /// <summary>Wraps a number.</summary>
    public MembershipVersion(long version) => Value = version;

    /// <summary>The number.</summary>
    public long Value { get; }

    /// <summary>Older than every membership.</summary>
    public static MembershipVersion MinValue => new(long.MinValue);

    public bool Equals(MembershipVersion other) => Value == other.Value;

    public override bool Equals(object? obj) => obj is MembershipVersion other && Equals(other);

    public override int GetHashCode() => Value.GetHashCode();

    public int CompareTo(MembershipVersion other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public static bool operator ==(MembershipVersion left, MembershipVersion right) => left.Equals(right);

    public static bool operator !=(MembershipVersion left, MembershipVersion right) => !left.Equals(right);

    public static bool operator <(MembershipVersion left, MembershipVersion right) => left.Value < right.Value;

    public static bool operator >(MembershipVersion left, MembershipVersion right) => left.Value > right.Value;

    public static bool operator <=(MembershipVersion left, MembershipVersion right) => left.Value <= right.Value;

    public static bool operator >=(MembershipVersion left, MembershipVersion right) => left.Value >= right.Value;
}
