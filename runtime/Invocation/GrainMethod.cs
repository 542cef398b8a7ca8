using System.Globalization;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>What is known of a method of a grain interface; one instance per method.</summary>
public sealed class GrainMethod(string interfaceName, string name, bool alwaysInterleave = false, string? responseTimeout = null)
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

    public override string ToString() => $"{InterfaceName}.{Name}";
}
