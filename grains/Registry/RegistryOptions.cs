using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Registry;

/// <summary>What clients may register.</summary>
[Section("Registry")]
public sealed class RegistryOptions
{
    /// <summary>The folder that registered paths are relative to and cannot leave; null, the default, where clients may register nothing.</summary>
    [SetBy("Cluster:RegisteredModels")]
    public string? Root { get; set; }

    /// <summary>
    /// How long a model that an alias is to move to, and that did not load, is left alone; at least a second. Default 5 minutes. Shorter notices sooner
    /// that its files were put right, longer spends less on loads that fail.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetryFailedTarget { get; set; } = TimeSpan.FromMinutes(5);
}
