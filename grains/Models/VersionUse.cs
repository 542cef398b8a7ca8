using Cluster.Grains.Scaling;

namespace Cluster.Grains.Models;

/// <summary>When a version was used. Kept some minutes late, so that use costs no writes.</summary>
/// <param name="LastUsed">The latest use of any replica.</param>
/// <param name="History">Earlier uses, for <see cref="ReplicaScaling"/>.</param>
[GenerateSerializer, Immutable, Alias("version-use")]
public sealed record VersionUse([property: Id(0)] DateTimeOffset LastUsed, [property: Id(1)] UseHistory History);
