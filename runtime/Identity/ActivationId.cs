namespace Cluster.Runtime;

/// <summary>The identity of one activation of a grain: a new one each time the grain is activated.</summary>
public readonly struct ActivationId : IEquatable<ActivationId>
{
    /// <summary>Wraps a key.</summary>
    public ActivationId(Guid key) => Key = key;

    /// <summary>The key.</summary>
    public Guid Key { get; }

    /// <summary>True for the default value.</summary>
    public bool IsDefault => Key == Guid.Empty;

    /// <summary>An identity that no activation has had.</summary>
    public static ActivationId NewId() => new(Guid.NewGuid());

    /// <summary>Reads what <see cref="ToParsableString"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static ActivationId FromParsableString(string activationId) =>
        activationId.StartsWith('@') && Guid.TryParseExact(activationId.AsSpan(1), "N", out var key)
            ? new ActivationId(key)
            : throw new FormatException($"'{activationId}' is not an activation identity; expected @ and 32 hexadecimal digits");

    /// <summary><c>@</c> and 32 hexadecimal digits.</summary>
    public string ToParsableString() => ToString();

    public bool Equals(ActivationId other) => Key == other.Key;

    public override bool Equals(object? obj) => obj is ActivationId other && Equals(other);

    public override int GetHashCode() => Key.GetHashCode();

    public override string ToString() => $"@{Key:N}";

    public static bool operator ==(ActivationId left, ActivationId right) => left.Equals(right);

    public static bool operator !=(ActivationId left, ActivationId right) => !left.Equals(right);
}
