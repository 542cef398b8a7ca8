using Xunit;

namespace Cluster.Unit.Replication;

/// <summary>Tests on real time: alone, so that the others' work does not count.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TimedCollection
{
    public const string Name = "on real time";
}
