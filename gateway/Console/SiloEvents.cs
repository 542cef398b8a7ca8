using System.Collections.Immutable;
using Cluster.Contracts.Nodes;

namespace Cluster.Gateway.Console;

/// <summary>What happened to the silos between two looks at them. Pure.</summary>
internal static class SiloEvents
{
    private const string Dead = nameof(SiloStatus.Dead);

    public static IEnumerable<ClusterEvent> Between(ImmutableArray<NodeDescription> before, ImmutableArray<NodeDescription> now)
    {
        foreach (var node in now)
        {
            var old = before.FirstOrDefault(known => known.Silo == node.Silo);
            foreach (var happened in Between(old, node))
            {
                yield return happened with { Silo = node.Silo };
            }
        }

        foreach (var gone in before.Where(known => known.Status != Dead && !now.Any(node => node.Silo == known.Silo)))
        {
            yield return End(gone) with { Silo = gone.Silo };
        }
    }

    private static IEnumerable<ClusterEvent> Between(NodeDescription? old, NodeDescription now)
    {
        if (now.Status == Dead)
        {
            if (old is not null && old.Status != Dead)
            {
                yield return End(old);
            }

            yield break;
        }

        if (IsActive(now) && (old is null || !IsActive(old)) && !Leaves(now))
        {
            yield return new ClusterEvent(EventKinds.SiloJoined, $"silo {now.Name} joined");
        }

        if (Leaves(now) && (old is null || !Leaves(old)))
        {
            yield return new ClusterEvent(EventKinds.SiloDraining, $"silo {now.Name} drains: its replicas move to others");
        }

        if (IsActive(now) && !Leaves(now) && old is { Draining: true })
        {
            yield return new ClusterEvent(EventKinds.SiloUndrained, $"silo {now.Name} takes replicas again");
        }

        if (now.Disagrees && old is not { Disagrees: true })
        {
            yield return new ClusterEvent(EventKinds.SiloDisagrees, $"silo {now.Name} has another model repository than the others: nothing new is placed there");
        }
    }

    private static ClusterEvent End(NodeDescription silo) => Leaves(silo)
        ? new ClusterEvent(EventKinds.SiloLeft, $"silo {silo.Name} has left")
        : new ClusterEvent(EventKinds.SiloDied, $"silo {silo.Name} died: it ended without a word");

    private static bool IsActive(NodeDescription silo) => silo.Status == nameof(SiloStatus.Active);

    private static bool Leaves(NodeDescription silo) => silo.Draining || silo.Status is nameof(SiloStatus.ShuttingDown) or nameof(SiloStatus.Stopping);
}
