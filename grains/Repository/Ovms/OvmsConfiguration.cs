using System.Collections.Immutable;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>A valid configuration file. Names are unique.</summary>
internal sealed record OvmsConfiguration(ImmutableArray<ConfiguredModel> Models, ImmutableArray<string> Warnings);
