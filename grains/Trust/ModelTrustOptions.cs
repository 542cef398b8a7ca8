using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Trust;

/// <summary>
/// Limits of a model's files, which a silo checks before ONNX Runtime sees them. Smaller limits refuse more, larger ones let a hostile file take more memory and time.
/// </summary>
[Section("Models")]
public sealed class ModelTrustOptions
{
    /// <summary>The longest file of protobuf that ONNX Runtime reads.</summary>
    public const int LongestModel = int.MaxValue;

    /// <summary>Bytes of the largest .onnx file, 1 to 2,147,483,647, the default: no longer one can be read. External data does not count.</summary>
    [Range(1, LongestModel)]
    public int MaxFileBytes { get; set; } = LongestModel;

    /// <summary>Bytes of all files of a version together, 1 to 1 PiB. Default 64 GiB.</summary>
    [Range(typeof(long), "1", "1125899906842624")]
    public long MaxVersionBytes { get; set; } = 64L << 30;

    /// <summary>Nodes of a model, those of subgraphs and functions included, 1 to 100,000,000. Default 1,000,000.</summary>
    [Range(1, 100_000_000)]
    public int MaxNodes { get; set; } = 1_000_000;

    /// <summary>Initializers of a model, and tensors in attributes of its nodes, 0 to 100,000,000. Default 1,000,000.</summary>
    [Range(0, 100_000_000)]
    public int MaxInitializers { get; set; } = 1_000_000;

    /// <summary>How deep subgraphs may be nested, 0 to 32. 0 takes none. Default 16. ONNX Runtime's own reader ends at about 32.</summary>
    [Range(0, 32)]
    public int MaxDepth { get; set; } = 16;

    /// <summary>Bytes that the shape of the largest initializer, or tensor in an attribute, declares, 1 to 1 TiB. Default 16 GiB.</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxInitializerBytes { get; set; } = 16L << 30;

    /// <summary>Whether a version is loaded only when its manifest is signed by a key of <see cref="Keys"/>. Default false.</summary>
    [SetBy("Cluster:RequireSignedModels")]
    public bool RequireSigned { get; set; }

    /// <summary>A PEM file of public keys; null, the default, leaves manifests unread.</summary>
    [SetBy("Cluster:ModelKeys")]
    public string? Keys { get; set; }

    /// <summary>
    /// A file of this silo's own with the signing time of the newest manifest of each version that it loaded. A version that was signed earlier is refused. Null, the
    /// default, keeps nothing and takes every signed version. The file is made when the first signed version is loaded.
    /// </summary>
    [Text("a file")]
    public string? SignedLedger { get; set; }

    /// <summary>A file of keys that models are encrypted with; null, the default, is none.</summary>
    [SetBy("Cluster:ModelKeyFile")]
    public string? KeyFile { get; set; }
}
