using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Gateway.Security.Audit;

/// <summary>The log of who did what.</summary>
[Section("Audit")]
public sealed class AuditOptions
{
    /// <summary>The file that lines are appended to; null, the default, writes none.</summary>
    [SetBy("Cluster:AuditLog")]
    public string? File { get; set; }

    /// <summary>How large the file may grow until it is renamed and another begun, MiB. Default 64.</summary>
    [Range(1, 10_000)]
    public int MaxMiB { get; set; } = 64;

    /// <summary>Renamed files that are kept, <c>.1</c> the newest. Default 5.</summary>
    [Range(1, 1000)]
    public int Files { get; set; } = 5;

    /// <summary>Share of inference and metadata requests that are written, 0 to 1. Default 0. Management is always written.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; set; }
}
