using System.Diagnostics.CodeAnalysis;

namespace Cluster.Grains.Placement;

/// <summary>
/// Chooses a replica's silo by <see cref="PlacementPolicy"/>, from what the silos publish of themselves and what this process has placed since. Safe from any
/// thread.
/// </summary>
internal sealed class ReplicaPlacer(SiloView view, PlacementOptions options, PlacementRandom random, PlacementMetrics metrics, TimeProvider time)
{
    /// <summary>A silo's news take less to get around.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Queue<(SiloAddress Silo, long Bytes, long At)> _placed = new();

    /// <summary>The silo, or why there is none now.</summary>
    public PlacementChoice Choose(PlacementRequest request)
    {
        if (view.Only is { } only)
        {
            metrics.Placed(PlacementReason.OnlySilo);
            return request.Excluded.Contains(only) ? new PlacementChoice(null, "the only silo does not take it")
                : LacksDevice(request) || view.LacksLabel(only, request.Required) ? new PlacementChoice(null, PlacementPolicy.Explain(view.Active(), request))
                : new PlacementChoice(only, "");
        }

        var states = Expected();
        var choice = random.Use(source => PlacementPolicy.Choose(states, request, options, source));
        metrics.Placed(!choice.Found ? PlacementReason.NoSilo : request.ForLoad || !request.Holders.IsEmpty ? PlacementReason.FurtherCopy : PlacementReason.FirstCopy);
        if (choice.Found)
        {
            lock (_lock)
            {
                _placed.Enqueue((choice.Silo, request.Bytes, time.GetTimestamp()));
            }
        }

        return choice;
    }

    /// <summary>Whether no silo that there is has the capacity, the labels and the device, even when empty.</summary>
    public bool WillNeverFit(PlacementRequest request) =>
        view.Active() is { Count: > 0 } all && all.All(silo => request.Bytes > silo.Capacity || !request.Required.All(silo.Labels.Contains) || Lacks(silo, request.Device));

    /// <summary>Whether no silo that there is has the OpenVINO that is asked for.</summary>
    public bool LacksDevice(PlacementRequest request) => view.Active() is { Count: > 0 } all && all.All(silo => silo.Runtime.Length > 0 && Lacks(silo, request.Device));

    private static bool Lacks(SiloState silo, string? device) => device is not null && !silo.Devices.Contains(device);

    private List<SiloState> Expected()
    {
        lock (_lock)
        {
            while (_placed.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Life)
            {
                _placed.Dequeue();
            }

            return [.. view.Active().Select(Expected)];
        }
    }

    private SiloState Expected(SiloState silo)
    {
        var (bytes, count) = (0L, 0);
        foreach (var placed in _placed)
        {
            if (placed.Silo == silo.Silo)
            {
                bytes += placed.Bytes;
                count++;
            }
        }

        return count == 0 ? silo : silo with { Used = silo.Used + bytes, Copies = silo.Copies + count };
    }
}

/// <summary>Where a replica goes, or why it can go nowhere.</summary>
/// <param name="Silo">Null where no silo is eligible.</param>
/// <param name="Reason">Where no silo is eligible: how many silos are out for which reason.</param>
/// <param name="HasRoom">Whether the silo is one of several, and has room for it by what it published last.</param>
public sealed record PlacementChoice(SiloAddress? Silo, string Reason, bool HasRoom = false)
{
    [MemberNotNullWhen(true, nameof(Silo))]
    public bool Found => Silo is not null;
}

/// <summary>How a replica came to its silo.</summary>
internal enum PlacementReason
{
    /// <summary>There is no other.</summary>
    OnlySilo,

    /// <summary>By the policy, and no other is in memory or was when it began.</summary>
    FirstCopy,

    /// <summary>By the policy, beside others.</summary>
    FurtherCopy,

    /// <summary>Nowhere: no silo can take it.</summary>
    NoSilo,
}
