using System.Diagnostics.CodeAnalysis;

namespace Cluster.Runtime;

/// <summary>The identity of a grain: its type and its key. Prints as <c>type/key</c>.</summary>
public readonly struct GrainId : IEquatable<GrainId>
{
    /// <summary>The identity of <paramref name="key"/> among grains of <paramref name="type"/>.</summary>
    public GrainId(GrainType type, IdSpan key)
    {
        Type = type;
        Key = key;
    }

    /// <summary>The kind of grain.</summary>
    public GrainType Type { get; }

    /// <summary>The key; may contain slashes.</summary>
    public IdSpan Key { get; }

    /// <summary>True for the default value, which names no grain.</summary>
    public bool IsDefault => Type.IsDefault;

    public static GrainId Create(string type, string key) => Create(GrainType.Create(type), key);

    public static GrainId Create(GrainType type, string key) => new(type, IdSpan.Create(key));

    /// <summary>Reads what <see cref="ToString"/> printed.</summary>
    /// <exception cref="FormatException">There is no slash after a non-empty type.</exception>
    public static GrainId Parse(string value) =>
        TryParse(value, out var id) ? id : throw new FormatException($"'{value}' is not a grain identity; expected type/key");

    /// <summary>Reads what <see cref="ToString"/> printed; false if it is something else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? value, out GrainId grainId)
    {
        var slash = value?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        grainId = slash > 0 ? Create(value![..slash], value[(slash + 1)..]) : default;
        return slash > 0;
    }

    public bool Equals(GrainId other) => Key.Equals(other.Key) && Type.Equals(other.Type);

    public override bool Equals(object? obj) => obj is GrainId other && Equals(other);

    public override int GetHashCode() => (Type.GetHashCode() * 397) ^ Key.GetHashCode();

    public override string ToString() => $"{Type}/{Key}";

    public static bool operator ==(GrainId left, GrainId right) => left.Equals(right);

    public static bool operator !=(GrainId left, GrainId right) => !left.Equals(right);
}
