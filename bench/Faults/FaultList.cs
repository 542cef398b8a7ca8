namespace Cluster.Bench.Faults;

/// <summary>All faults, in the order of the matrix.</summary>
internal static class FaultList
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("kill", static scene => scene.Victim.KillAsync(), static scene => scene.ReplaceVictimAsync()) { Hits = FaultTarget.Victim },
        new("hang", static scene => Done(scene.Victim.Suspend), static scene => Done(scene.Victim.Resume)) { Hits = FaultTarget.Victim },
        new("stop", static scene => Done(scene.Victim.Terminate), static scene => scene.ReplaceVictimAsync()) { Hits = FaultTarget.Victim },
        new("cut-two", static scene => Done(() => scene.Between(scene.Victim, scene.Other, cut: true)), static scene => Done(() => scene.Between(scene.Victim, scene.Other, cut: false)))
        {
            Hits = FaultTarget.VictimAndOther,
            NeedsNetwork = true,
        },
        new("cut-all", static scene => Done(() => scene.VictimAndAll(cut: true)), static scene => Done(() => scene.VictimAndAll(cut: false)))
        {
            Hits = FaultTarget.Victim,
            NeedsNetwork = true,
        },
        new("redis-stop", static scene => scene.Cluster.Redis.StopAsync(), static scene => scene.Cluster.Redis.StartAsync()) { LoadsMayBeRefused = true },
        new("redis-hang", static scene => Done(scene.Cluster.Redis.Suspend), static scene => Done(scene.Cluster.Redis.Resume)) { LoadsMayBeRefused = true },
        new("redis-empty", static scene => scene.Cluster.Redis.EmptyAsync(), static _ => Task.CompletedTask),
        new("kill-all", KillAndStartAllAsync, static _ => Task.CompletedTask) { RequestsMayBeRefused = true, LoadsMayBeRefused = true },
    ];

    private static async Task KillAndStartAllAsync(FaultScene scene)
    {
        await scene.ForAllSilosAsync(static silo => silo.KillAsync());
        await scene.ForAllSilosAsync(static silo => silo.StartAsync());
    }

    private static Task Done(Action act)
    {
        act();
        return Task.CompletedTask;
    }
}
