using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Orleans' settings of membership and connections where ours differ from its defaults, which find a dead silo within minutes. A silo whose process ended is found by
/// <see cref="SiloEvidence"/>; these settings find one that hangs, or that the network hides.
/// </summary>
internal static class ClusterMembershipSettings
{
    /// <summary>What a probe may take at first, and what a silo that joins waits before it tries again.</summary>
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);

    public static void Apply(ClusterMembershipOptions options)
    {
        options.ProbeTimeout = Probe;

        // Orleans adapts the time of a probe, which is also the period of probes, between these two.
        options.MinProbeTimeout = Probe;

        // A vote is vetoed for this times the missed probes after the last message: 3.75 s, where Orleans' default is a minute.
        options.MaxProbeTimeout = Probe * 1.25;
        options.NumMissedProbesLimit = 3;

        // Witnesses: with two members one vote is enough, from three on it takes two, so that a cut between two silos removes neither.
        options.NumVotesForDeathDeclaration = 2;

        // A silo that two members see behind a third stays a member for ever, though the two cannot call each other. And a hung silo is found later.
        options.EnableIndirectProbes = false;

        // Two silos vote within a second of each other. An older vote is about another failure.
        options.DeathVoteExpirationTimeout = TimeSpan.FromSeconds(10);

        // Gossip spreads changes, and each heartbeat notices them. This is for changes that both missed.
        options.TableRefreshTimeout = TimeSpan.FromSeconds(5);

        // A silo that starts after all were killed knows them by heartbeats that do not move.
        options.IAmAliveTablePublishTimeout = SiloEvidence.Heartbeat;

        // A process that cannot join ends, and who supervises it starts it again.
        options.MaxJoinAttemptTime = TimeSpan.FromSeconds(30);
    }

    public static void Apply(SiloMessagingOptions options)
    {
        // What silos ask of each other for Orleans, such as where a grain is. Where the network between two of them is cut, it fails after this. Grain calls have their own.
        options.SystemResponseTimeout = TimeSpan.FromSeconds(3);
    }

    public static void Apply(ConnectionOptions options)
    {
        // Longer keeps callers of machines that are gone.
        options.OpenConnectionTimeout = TimeSpan.FromSeconds(2);

        // In between all calls to that silo fail at once. A second is long for a silo that has just come back.
        options.ConnectionRetryDelay = TimeSpan.FromMilliseconds(250);
    }
}
