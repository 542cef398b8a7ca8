using Cluster.Contracts.Options;

namespace Cluster.Grains.Repository;

/// <summary>Where the models are. Either may be null, both may be given; then a name in <see cref="Config"/> wins.</summary>
public sealed class RepositoryOptions
{
    /// <summary>Folder with <c>&lt;name&gt;/&lt;version&gt;/&lt;file&gt;.onnx</c>; null for none.</summary>
    [SetBy("Cluster:Models")]
    public string? Models { get; set; }

    /// <summary>A config.json as OpenVINO Model Server reads it; null for none.</summary>
    [SetBy("Cluster:Config")]
    public string? Config { get; set; }
}
