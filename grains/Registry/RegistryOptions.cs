namespace Cluster.Grains.Registry;

/// <summary>What clients may register.</summary>
public sealed class RegistryOptions
{
    /// <summary>The folder that registered paths are relative to and cannot leave; null, the default, where clients may register nothing.</summary>
    public string? Root { get; init; }

    /// <summary>
    /// How long a model that an alias is to move to, and that did not load, is left alone; at least a second. Default 5 minutes. Shorter notices sooner
    /// that its files were put right, longer spends less on loads that fail.
    /// </summary>
    public TimeSpan RetryFailedTarget { get; init; } = TimeSpan.FromMinutes(5);
}
