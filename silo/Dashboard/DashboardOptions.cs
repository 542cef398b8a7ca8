using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Silo.Dashboard;

/// <summary>Orleans' dashboard: grains, their calls and the silos, for people.</summary>
[Section("Dashboard")]
public sealed class DashboardOptions
{
    /// <summary>
    /// The port of 127.0.0.1 that the dashboard listens on. 0, the default, leaves the dashboard out. All users of this machine can read it. While a page is open, each
    /// call of a grain is counted.
    /// </summary>
    [Range(0, 65535)]
    public int Port { get; set; }
}
