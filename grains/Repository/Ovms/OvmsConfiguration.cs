using System.Collections.Immutable;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>A valid configuration file. Names are unique.</summary>
internal sealed record OvmsConfiguration(ImmutableArray<ConfiguredModel> Models, ImmutableArray<string> Warnings);

/// <summary>One entry of the configuration file.</summary>
/// <param name="Name">Valid.</param>
/// <param name="BasePath">Absolute, or an address of object storage; empty if the definition has a problem that leaves no path to look at.</param>
/// <param name="Definition">What the other keys say.</param>
internal sealed record ConfiguredModel(string Name, string BasePath, ModelDefinition Definition);
