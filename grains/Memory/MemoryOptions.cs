using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Memory;

/// <summary>How much memory a silo's sessions and runs may take.</summary>
[Section("Memory")]
public sealed class MemoryOptions
{
    /// <summary>
    /// Bytes that are left to the runtime, to messages of ordinary size and to the libraries. 0 to 1 TiB, default 384 MiB, with which a silo starts and serves. Less
    /// allows larger runs, but the system may end the process where memory is short.
    /// </summary>
    [Range(typeof(long), "0", "1099511627776")]
    public long Reserve { get; set; } = 384L << 20;

    /// <summary>Bytes that the process may take; <see cref="long.MaxValue"/>, the default, is no limit. A silo process sets what its container or machine has.</summary>
    [SetBy("")]
    public long Available { get; set; } = long.MaxValue;

    /// <summary>Bytes that weights, and tensors of runs, may take together: what is available without the reserve, and a quarter of it at least.</summary>
    public long Limit() => Available == long.MaxValue ? long.MaxValue : Math.Max(Available - Reserve, Available / 4);
}
