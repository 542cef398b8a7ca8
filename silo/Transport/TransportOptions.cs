using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Silo.Transport;

/// <summary>The connections between processes.</summary>
[Section("Transport")]
public sealed class TransportOptions
{
    /// <summary>
    /// The largest message to another process, with its tensors, MiB; 128 to 2,000. Default 512. It must not be less than a gateway takes. Higher lets one peer have
    /// this process set aside that much memory.
    /// </summary>
    [Range(128, 2000)]
    public int MaxMessageMiB { get; set; } = 512;

    /// <summary>How long a message that has begun may bring no further byte until its connection is closed. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    internal long MaxMessageBytes => (long)MaxMessageMiB << 20;
}
