namespace Cluster.Contracts.Models;

/// <summary>One version of a model as the repository holds it.</summary>
/// <param name="Version">The folder's number, at least 1.</param>
/// <param name="Path">Absolute path of the .onnx file; empty where <paramref name="Problem"/> is set.</param>
/// <param name="Revision">
/// Fingerprint of all files in the version's folder. Another revision of the same version is other content, to be loaded again.
/// </param>
/// <param name="Problem">Why this version cannot be loaded at all (no .onnx file, a link out of the repository…), or null.</param>
[GenerateSerializer, Immutable, Alias("model-version-source")]
public sealed record ModelVersionSource(
    [property: Id(0)] long Version,
    [property: Id(1)] string Path,
    [property: Id(2)] string Revision,
    [property: Id(3)] string? Problem = null)
{
    /// <summary>Bytes of all files in the version's folder, links followed. 0 where <see cref="Problem"/> is set.</summary>
    [Id(4)]
    public long Bytes { get; init; }

    /// <summary>Whether the .onnx file is the whole version, without what stands beside it.</summary>
    [Id(5)]
    public bool IsSingleFile { get; init; }

    /// <summary>Whether the model's settings come from the operator, not from a file beside the model. Then they need no signature.</summary>
    [Id(6)]
    public bool HasOperatorSettings { get; init; }
}
