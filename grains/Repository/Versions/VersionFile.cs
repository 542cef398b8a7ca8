using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>One file of a version.</summary>
/// <param name="Name">Relative to the version's folder, with forward slashes.</param>
/// <param name="RealPath">Where its content is.</param>
/// <param name="Stat">Of the content, not of a link to it.</param>
internal readonly record struct VersionFile(string Name, string RealPath, FileStat Stat);
