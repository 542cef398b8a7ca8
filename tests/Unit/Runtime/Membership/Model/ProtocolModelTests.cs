using Xunit;

namespace Cluster.Unit.Runtime.Membership.Model;

/// <summary>
/// Every state that two silos, one grain and Redis can get into, with a bounded number of faults, is visited and checked. Safety is
/// checked in each state; that nothing gets stuck, in each state from which no step leads on.
/// </summary>
public sealed class ProtocolModelTests(ITestOutputHelper output)
{
    private const int MostStates = 20_000_000;

    [Theory]
    [InlineData(2, 0, 0, 0)]
    [InlineData(1, 0, 1, 0)]
    [InlineData(1, 1, 0, 0)]
    public void Protocol_InEveryReachableState_IsSafeAndGoesOn(int registrations, int losses, int suspicions, int restarts) =>
        Explore(registrations, losses, suspicions, restarts);

    /// <summary>Minutes and gigabytes: with everything at once.</summary>
    [Theory]
    [Trait("Category", "Soak")]
    [InlineData(2, 0, 1, 1)]
    [InlineData(1, 1, 1, 0)]
    [InlineData(1, 1, 0, 1)]
    public void Protocol_WithMoreFaults_IsSafeAndGoesOn(int registrations, int losses, int suspicions, int restarts) =>
        Explore(registrations, losses, suspicions, restarts);

    private void Explore(int registrations, int losses, int suspicions, int restarts)
    {
        var start = new ModelState(ModelSilo.New(1, 1), ModelSilo.New(2, 1), MembershipView.None, null, 0, registrations, losses, suspicions, restarts);
        var parents = new Dictionary<UInt128, (UInt128 Parent, string Action)> { [Hash(start)] = default };
        var queue = new Queue<ModelState>([start]);
        var settledHolders = 0;
        while (queue.TryDequeue(out var state))
        {
            var hash = Hash(state);
            var steps = ModelActions.Steps(state).ToArray();
            Check(state, steps.Length == 0, () => Path(parents, hash));
            settledHolders += state.Table.Unsettled.IsEmpty && state.Silos.Any(static silo => silo is { Runs: true, Held: not null }) ? 1 : 0;
            foreach (var (name, next) in steps.Concat(ModelActions.Faults(state)))
            {
                if (parents.TryAdd(Hash(next), (hash, name)))
                {
                    queue.Enqueue(next);
                }
            }

            Assert.True(parents.Count < MostStates, "the model has more states than it should");
        }

        output.WriteLine($"{parents.Count} states");
        Assert.True(parents.Count > 5_000, "the model does not do anything");
        Assert.True(settledHolders > 100, "the grain is hardly ever active");
    }

    private static void Check(ModelState state, bool isStuck, Func<string> path)
    {
        var holders = state.Silos.Where(static silo => silo is { Runs: true, Held: not null }).ToArray();
        var accepted = holders.Where(silo => !state.IsKnownDead(silo.Address)).ToArray();
        Holds(accepted.Length <= 1, "two live copies");
        Holds(
            holders.All(silo => accepted.Contains(silo) || accepted.All(winner => winner.Held!.LoadEpoch > silo.Held!.LoadEpoch)),
            "a dead silo's copy has the larger epoch");

        if (state.Entry is { } entry && DirectoryDecisions.IsValid(entry, state.Table.IsDead))
        {
            var knownDead = state.Silos.Any(silo =>
                silo.IsMember && silo.Known.Incarnation == state.Table.Incarnation && silo.Known.Find(entry.SiloAddress!) is { IsDead: true });
            Holds(!knownDead, "the entry of a dead silo is valid");
        }

        if (isStuck)
        {
            Holds(state.Table.Unsettled.IsEmpty || !state.Silos.Any(static silo => silo.IsMember), "registrations are blocked for good");
            Holds(
                state.Silos.Where(static silo => silo.IsMember).All(silo => silo.Known.Version == state.Table.Version && silo.Write is null),
                "a silo does not see the table");
            Holds(holders.All(silo => silo.Held!.Matches(state.Entry)), "a copy is not in the directory");
        }

        // A path is made only to be told: that takes longer than all else.
        void Holds(bool condition, string otherwise)
        {
            if (!condition)
            {
                Assert.Fail($"{otherwise}\n{path()}");
            }
        }
    }

    private static string Path(Dictionary<UInt128, (UInt128 Parent, string Action)> parents, UInt128 hash)
    {
        var actions = new Stack<string>();
        while (parents[hash] is { Action: not null } step)
        {
            actions.Push(step.Action);
            hash = step.Parent;
        }

        return string.Join('\n', actions);
    }

    private static UInt128 Hash(ModelState state) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.Unicode.GetBytes(state.Key())));
}
