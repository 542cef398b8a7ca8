using System.Collections.Immutable;

namespace Cluster.Grains.Repository.Versions;

/// <summary>What a version's folder holds, unread.</summary>
/// <param name="Files">All that make up the revision; empty with a problem.</param>
/// <param name="GraphPath">The .onnx file to load; empty with a problem.</param>
/// <param name="Problem">Why it cannot be loaded, or null.</param>
internal sealed record VersionListing(ImmutableArray<VersionFile> Files, string GraphPath, string? Problem);
