using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Console;

/// <summary>The page for operators at <c>/console</c>, and the timeline that it shows.</summary>
[Section("Console")]
public sealed class ConsoleOptions
{
    /// <summary>False: there is no page. Default true: the page has no data of its own, and asks only for data that its user may see.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Events that a gateway keeps in memory, 10 to 100,000. Default 1000. More reach further back, about 500 bytes each.</summary>
    [Range(10, 100_000)]
    public int Events { get; set; } = 1000;

    /// <summary>
    /// Streams of events that are open at a gateway at once, 1 to 100,000. Default 128. More take more of its connections, each for as long as its client likes. Fewer
    /// refuse consoles.
    /// </summary>
    [Range(1, 100_000)]
    public int Streams { get; set; } = 128;

    /// <summary>
    /// Of these, streams of one client, or of one address where no identities are asked for, 1 to 100,000. Default 16. More let one client take what others need. Fewer
    /// refuse people that share a key.
    /// </summary>
    [Range(1, 100_000)]
    public int StreamsPerClient { get; set; } = 16;
}
