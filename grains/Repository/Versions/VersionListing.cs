using System.Collections.Immutable;
using Cluster.Contracts.Models;
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

    /// <summary>What is there now. That nothing leads out of the repository, the registration says, and equal content is equal wherever it is.</summary>
    public static VersionListing Of(ModelVersionSource source)
    {
        if (source.IsSingleFile)
        {
            return FileStat.Read(source.Path, followLinks: true) is { Kind: FileKind.Regular } stat
                ? OfFile(source.Path, stat)
                : new VersionListing([], "", $"there is no file '{Path.GetFileName(source.Path)}'");
        }

        var folder = RealPath.Resolve(Path.GetDirectoryName(source.Path)!);
        return VersionFolder.Read(Path.GetPathRoot(folder)!, folder, Path.GetFileName(folder));
    }

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
