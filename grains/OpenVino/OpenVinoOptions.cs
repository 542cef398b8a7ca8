using Cluster.Contracts.Options;

namespace Cluster.Grains.OpenVino;

/// <summary>Where a silo has OpenVINO from.</summary>
public sealed class OpenVinoOptions
{
    /// <summary>Folder that a wheel with OpenVINO was unpacked to; null, the default, for none.</summary>
    [SetBy("Cluster:Openvino")]
    public string? Folder { get; set; }

    /// <summary>Folder that keeps compiled graphs of models with <c>cache</c>; null, the default, is one in the system's temporary folder.</summary>
    [SetBy("Cluster:OpenvinoCache")]
    public string? Cache { get; set; }

    /// <summary>Bytes that <see cref="Cache"/> may take. The longest unused graphs go first.</summary>
    [SetBy("Cluster:OpenvinoCacheMiB")]
    public long CacheBytes { get; set; } = 1L << 30;
}
