namespace Cluster.Tests.Common;

/// <summary>What a cluster is started with.</summary>
public sealed record ClusterSetup
{
    public int Silos { get; init; } = 3;

    public int Gateways { get; init; } = 2;

    /// <summary>Of each silo.</summary>
    public string Capacity { get; init; } = "200MiB";

    /// <summary>Options of every process that the command line has not, such as <c>Cache__ChurnLoadTimes=3</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Labels of the first silos, each a list separated by commas; the others have none.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whose certificates the processes have for each other, which end with the cluster; null: connections between them are plain.</summary>
    public PeerCertificates? PeerTls { get; init; }

    /// <summary>The <c>cluster-silo</c> that the cluster starts with; null, and for what is added later, the one that was built with the tests.</summary>
    public string? Program { get; init; }

    /// <summary>The machines that the processes run on, which end with the cluster; null for this one.</summary>
    public NetworkLab? Network { get; init; }
}
