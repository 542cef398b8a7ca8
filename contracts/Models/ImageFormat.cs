namespace Cluster.Contracts.Models;

/// <summary>How an input of an image orders its dimensions; told to clients, and nothing more.</summary>
[GenerateSerializer, Alias("image-format")]
public enum ImageFormat
{
    /// <summary>Not said.</summary>
    None,

    /// <summary>Height, width, channels.</summary>
    Nhwc,

    /// <summary>Channels, height, width.</summary>
    Nchw,
}
