namespace Cluster.Runtime;

/// <summary>How silos join the cluster and notice each other's death. The defaults remove a silo that hangs within 5 s.</summary>
public sealed class ClusterMembershipOptions
{
    /// <summary>True: this process only watches the cluster, as a gateway does; it hosts no grains and has no row. Default false.</summary>
    public bool ObserveOnly { get; set; }

    /// <summary>What the process is for; in its row. Default "silo".</summary>
    public string Role { get; set; } = "silo";

    /// <summary>The silo's labels; in its row.</summary>
    public IList<string> Labels { get; } = [];

    /// <summary>How often a silo is probed that answers. Default 500 ms. Shorter costs messages, longer notices later.</summary>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the answer to a probe may take. Default 750 ms. Shorter suspects silos that are only busy, longer notices later.</summary>
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromMilliseconds(750);

    /// <summary>Probes in a row that a silo must miss to be suspected. Default 2. Fewer suspects sooner, and wrongly more often.</summary>
    public int NumMissedProbesLimit { get; set; } = 2;

    /// <summary>How many silos each silo probes. Default 3. More finds failures of many silos at once sooner, for more messages.</summary>
    public int NumProbedSilos { get; set; } = 3;

    /// <summary>Silos that must suspect one to remove it; fewer if there are fewer others. Default 2. More is slower and surer.</summary>
    public int NumVotesForDeathDeclaration { get; set; } = 2;

    /// <summary>How long a vote counts. Default 10 s.</summary>
    public TimeSpan DeathVoteExpirationTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a silo notes in the table that it is alive, and looks whether the table changed. Default 500 ms.</summary>
    public TimeSpan IAmAliveTablePublishTimeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A silo that has not said for so long that it is alive is taken for gone if it does not answer either. Default 2.5 s.</summary>
    public TimeSpan AliveExpiration { get; set; } = TimeSpan.FromSeconds(2.5);

    /// <summary>How often the whole table is read even if nothing tells of a change. Default 5 s.</summary>
    public TimeSpan TableRefreshTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a silo tries to join before its start fails. Default 30 s.</summary>
    public TimeSpan MaxJoinAttemptTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long dead silos stay in the table. Default 10 min; far longer than any process may be suspended and go on.</summary>
    public TimeSpan DefunctSiloExpiration { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long the silo that makes a new table holds back registrations of grains, so that silos which lost the old table can put
    /// back theirs. Default 2 s. Shorter may load a grain twice after Redis lost its data; longer delays the first load of a new cluster.
    /// </summary>
    public TimeSpan NewTableSettleTime { get; set; } = TimeSpan.FromSeconds(2);
}
