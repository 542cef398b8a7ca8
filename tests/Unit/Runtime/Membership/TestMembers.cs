namespace Cluster.Unit.Runtime.Membership;

/// <summary>Silos that share a table and a network.</summary>
internal sealed class TestMembers : IAsyncDisposable
{
    private readonly List<TestMember> _members = [];

    public InMemoryMembershipTable Table { get; } = new(TimeProvider.System);

    public FakeNetwork Network { get; } = new(TimeProvider.System);

    public TestMember this[int index] => _members[index];

    public IReadOnlyList<TestMember> All => _members;

    /// <summary>Starts silos on ports 1001, 1002, … and waits until all know all.</summary>
    public static async Task<TestMembers> StartAsync(int count, Action<ClusterMembershipOptions>? configure = null)
    {
        var members = new TestMembers();
        for (var number = 1; number <= count; number++)
        {
            await members.AddAsync(Silos.At(number), configure);
        }

        foreach (var member in members.All)
        {
            await member.UntilAsync(view => view.Entries.Values.Count(static entry => entry.Status == SiloStatus.Active) == count, "all active");
        }

        return members;
    }

    public async Task<TestMember> AddAsync(SiloAddress silo, Action<ClusterMembershipOptions>? configure = null)
    {
        var member = await TestMember.StartAsync(silo, Table, Network, configure);
        _members.Add(member);
        return member;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            Network.Resume(member.Silo);
            await member.DisposeAsync();
        }
    }
}
