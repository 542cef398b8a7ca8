using System.Collections.Immutable;

namespace Cluster.Grains.Placement;

/// <summary>What a silo publishes of itself, for others to choose a place by. Others see it some seconds late.</summary>
[GenerateSerializer, Immutable, Alias("silo-state")]
public sealed record SiloState
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Bytes that replicas may take together.</summary>
    [Id(1)]
    public required long Capacity { get; init; }

    /// <summary>Bytes taken, by replicas that are being unloaded too.</summary>
    [Id(2)]
    public long Used { get; init; }

    /// <summary>Replicas that are loaded or being loaded.</summary>
    [Id(3)]
    public int Copies { get; init; }

    /// <summary>Since the longest unused replica was used; null where none is loaded.</summary>
    [Id(4)]
    public TimeSpan? OldestIdle { get; init; }

    /// <summary>Loads running or waiting.</summary>
    [Id(5)]
    public int Loading { get; init; }

    /// <summary>Inference requests in the last minute.</summary>
    [Id(6)]
    public double RequestsPerMinute { get; init; }

    /// <summary>What the operator calls the silo, for models that need or prefer it.</summary>
    [Id(7)]
    public ImmutableSortedSet<string> Labels { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Whether it takes nothing new: it is about to leave, or an operator drains it.</summary>
    [Id(8)]
    public bool Draining { get; init; }

    /// <summary>Of the software, greater is newer; the newer of two equal places is chosen, so that an upgrade moves copies once.</summary>
    [Id(9)]
    public long Version { get; init; }

    /// <summary>Whether its model repository holds other content than the cluster serves: nothing is placed there while another silo will do.</summary>
    [Id(10)]
    public bool Disagrees { get; init; }

    /// <summary>OpenVINO's kinds of devices that it has; none without OpenVINO.</summary>
    [Id(11)]
    public ImmutableSortedSet<string> Devices { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>ONNX Runtime's version, and OpenVINO's where there is one, for people.</summary>
    [Id(12)]
    public string Runtime { get; init; } = "";

    /// <summary>Bytes left, never negative.</summary>
    public long Free => Math.Max(0, Capacity - Used);
}
