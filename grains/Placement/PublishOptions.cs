namespace Cluster.Grains.Placement;

/// <summary>When a silo publishes its state. Smaller steps make others choose by newer news and cost more writes. Defaults but the first two are ModelMesh's.</summary>
public sealed class PublishOptions
{
    /// <summary>The state is published at least this often. Default 10 s (ModelMesh: 40 s), so that a stale state shows sooner.</summary>
    public TimeSpan MaxInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>And not more often than this, but for a silo that begins to drain. Default 1 s (ModelMesh: 2 s).</summary>
    public TimeSpan MinInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Change of the capacity, as a share. Default 0.02.</summary>
    public double CapacityShare { get; set; } = 0.02;

    /// <summary>Change of the bytes used, as a share of them. Default 0.2.</summary>
    public double UsedShare { get; set; } = 0.2;

    /// <summary>Change of the copies, in copies or as a share, whichever comes first. Defaults 10 and 0.15.</summary>
    public int Copies { get; set; } = 10;

    /// <inheritdoc cref="Copies"/>
    public double CopiesShare { get; set; } = 0.15;

    /// <summary>Change of the oldest entry's age beyond the time that passed, or as a share of it, whichever comes first. Defaults 20 s and 1/16.</summary>
    public TimeSpan Idle { get; set; } = TimeSpan.FromSeconds(20);

    /// <inheritdoc cref="Idle"/>
    public double IdleShare { get; set; } = 1.0 / 16;

    /// <summary>Change of the loads; the first and the last one always count. Default 3.</summary>
    public int Loading { get; set; } = 3;

    /// <summary>Change of the requests a minute, in requests or as a share, whichever is more. Defaults 100 and 0.1.</summary>
    public double Requests { get; set; } = 100;

    /// <inheritdoc cref="Requests"/>
    public double RequestsShare { get; set; } = 0.1;

    /// <summary>Free share of the capacity below which a silo counts as full: becoming full, or not being it any more, always counts. Default 0.05.</summary>
    public double FullShare { get; set; } = 0.05;
}
