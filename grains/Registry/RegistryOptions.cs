using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Registry;

/// <summary>Models that clients register, and their aliases.</summary>
[Section("Registry")]
public sealed class RegistryOptions
{
    /// <summary>The folder that registered paths are relative to and cannot leave; null, the default, where clients may register nothing.</summary>
    [SetBy("Cluster:RegisteredModels")]
    public string? Root { get; set; }

    /// <summary>
    /// Time between two tries to load a failed target of an alias, at least a second. Default 5 minutes. Shorter notices sooner that its files were mended, longer
    /// spends less on loads that fail.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetryFailedTarget { get; set; } = TimeSpan.FromMinutes(5);
}
