namespace Cluster.Contracts.Models;

/// <summary>One version of a model as the repository holds it.</summary>
/// <param name="Version">The folder's number, at least 1.</param>
/// <param name="Path">Absolute path of the .onnx file; empty where <paramref name="Problem"/> is set.</param>
/// <param name="Revision">
/// Fingerprint of everything in the version's folder: another revision of the same version is other content, to be loaded anew.
/// </param>
/// <param name="Problem">Why this version cannot be loaded at all (no .onnx file, a link out of the repository…), or null.</param>
[GenerateSerializer, Immutable, Alias("model-version-source")]
public sealed record ModelVersionSource(
    [property: Id(0)] long Version,
    [property: Id(1)] string Path,
    [property: Id(2)] string Revision,
    [property: Id(3)] string? Problem = null)
{
    /// <summary>Size of everything in the version's folder in bytes, of what links lead to; 0 where <see cref="Problem"/> is set.</summary>
    [Id(4)]
    public long Bytes { get; init; }

    /// <summary>Whether the .onnx file is the whole version, without what stands beside it.</summary>
    [Id(5)]
    public bool IsSingleFile { get; init; }

    /// <summary>Whether the model's settings are the operator's own word, not a file beside the model: then no signature has to vouch for them.</summary>
    [Id(6)]
    public bool HasOperatorSettings { get; init; }
}
