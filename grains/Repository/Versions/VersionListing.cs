using System.Collections.Immutable;
using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>What a version's folder holds, unread.</summary>
/// <param name="Files">All that make up the revision; empty with a problem.</param>
/// <param name="GraphPath">The .onnx file to load; empty with a problem.</param>
/// <param name="Problem">Why it cannot be loaded, or null.</param>
internal sealed record VersionListing(ImmutableArray<VersionFile> Files, string GraphPath, string? Problem)
{
    /// <summary>Whether the graph is the whole version, not its folder.</summary>
    public bool IsSingleFile { get; private init; }

    /// <param name="path">Real path of the .onnx file.</param>
    /// <param name="stat">Of that file.</param>
    public static VersionListing OfFile(string path, FileStat stat) =>
        new([new VersionFile(Path.GetFileName(path), path, stat)], path, null) { IsSingleFile = true };
}

/// <summary>One file of a version.</summary>
/// <param name="Name">Relative to the version's folder, with forward slashes.</param>
/// <param name="RealPath">Where its content is.</param>
/// <param name="Stat">Of the content, not of a link to it.</param>
internal readonly record struct VersionFile(string Name, string RealPath, FileStat Stat);
