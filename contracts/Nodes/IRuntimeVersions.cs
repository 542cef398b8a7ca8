namespace Cluster.Contracts.Nodes;

/// <summary>What the living silos run models by. Reads take no lock and no network; safe from any thread.</summary>
public interface IRuntimeVersions
{
    /// <summary>Each once, sorted, for people: "1.31.1", "1.24.1 with OpenVINO 2025.4.1 on CPU".</summary>
    IEnumerable<string> All { get; }
}
