using System.Globalization;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>What is known of a method of a grain interface; one instance per method.</summary>
public sealed class GrainMethod(
    string interfaceName, string name, Func<GrainCall> createCall, bool alwaysInterleave = false, string? responseTimeout = null)
{
    /// <summary>The interface's alias, else its full name.</summary>
    public string InterfaceName { get; } = interfaceName;

    /// <summary>The method's alias, else its name.</summary>
    public string Name { get; } = name;

    /// <summary>True: interleaves with whatever runs.</summary>
    public bool AlwaysInterleave { get; } = alwaysInterleave;

    /// <summary>Null: the silo's default.</summary>
    public TimeSpan? ResponseTimeout { get; } =
        responseTimeout is null ? null : TimeSpan.Parse(responseTimeout, CultureInfo.InvariantCulture);

    /// <summary>The method on the wire: the same number in every process whose interface and method have these names.</summary>
    public ulong WireId { get; } = StableHash($"{interfaceName}/{name}");

    /// <summary>A call of the method, its arguments to be read.</summary>
    internal GrainCall CreateCall() => createCall();

    // FNV-1a, 64 bits. The manifest refuses two methods with one number.
    private static ulong StableHash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(text))
        {
            hash = unchecked((hash ^ b) * 1099511628211UL);
        }

        return hash;
    }

    public override string ToString() => $"{InterfaceName}.{Name}";
}
