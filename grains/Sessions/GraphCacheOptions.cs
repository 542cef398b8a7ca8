using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Sessions;

/// <summary>Optimized graphs that a silo keeps on its disk, so that the next load of the same content need not optimize it again.</summary>
[Section("GraphCache")]
public sealed class GraphCacheOptions
{
    /// <summary>Folder for the graphs, the silo's own. Default <c>cluster-graph-cache</c> in the system's temporary folder, unless that is in memory.</summary>
    [Text("a folder")]
    public string? Folder { get; set; }

    /// <summary>MiB that the graphs may take, 0 to 1,048,576. The longest unused go first. Default 4096. Less optimizes more often, 0 keeps none.</summary>
    [Range(0, 1_048_576)]
    public int MaxMiB { get; set; } = 4096;

    /// <summary>A session that opens in less than this is not worth a file, 0 to 1 h. Default 15 ms. Less keeps more files that save little.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LeastOpening { get; set; } = TimeSpan.FromMilliseconds(15);
}
