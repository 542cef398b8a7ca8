using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Traffic;

/// <summary>What a gateway spends on copies of requests for shadows of aliases.</summary>
[Section("Traffic")]
public sealed class TrafficOptions
{
    /// <summary>
    /// Copies that are under way or wait for the answer to compare with, of all aliases, 1 to 100,000. Default 64. Further ones are dropped and counted. A higher
    /// number takes memory and the silos' time.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxMirrors { get; set; } = 64;

    /// <summary>Bytes of these requests and answers, MiB, 1 to 1,000,000. Default 256. A copy that does not fit is dropped and counted.</summary>
    [Range(1, 1_000_000)]
    public int MaxMirrorMiB { get; set; } = 256;

    /// <summary>
    /// How long a candidate may take for a copy, a second to an hour. Then it has failed. Default 30 s. With a longer time copies for a candidate that hangs keep
    /// others out.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MirrorTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
