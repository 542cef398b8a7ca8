using System.Globalization;
using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>
/// Measures one cell: models are loaded and asked, the fault happens after a second, lasts, and is over. The callers go on until the cluster is whole and a
/// little longer. One cold request or reload is under way when the fault happens, more come while it lasts.
/// </summary>
internal sealed class FaultRun(TestCluster cluster, FaultCell cell, TimeSpan lasting)
{
    private const int CallerCount = 4;

    /// <summary>The number of a model's new content less that of its old one.</summary>
    private const int NewContent = 100;

    /// <summary>A load takes 0.4 to 1.6 s, so that it is under way when the fault happens.</summary>
    private const int LoadProducts = 80;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LoadBegins = TimeSpan.FromSeconds(1);

    /// <summary>When something is asked besides, as shares of the time that the fault lasts.</summary>
    private static readonly double[] Moments = [0.05, 0.3, 0.6];

    private readonly string _settings = string.Create(CultureInfo.InvariantCulture, $$"""{"min_copies": {{cell.Replicas}}, "max_copies": {{cell.Replicas}}}""");
    private readonly int _models = cell.Replicas == 1 ? 6 : 4;

    public async Task<CellReport> MeasureAsync(CancellationToken cancellationToken)
    {
        var targets = await TargetsAsync();
        var besides = await BesidesAsync(targets);
        await cluster.UntilAsync(view => targets.All(target => view.SilosOf(target.Model).Distinct().Count() == cell.Replicas), Patience);

        await using var callers = await Callers.StartAsync(cluster.GrpcTargets[0], targets, CallerCount);
        await Task.Delay(Before, cancellationToken);
        AskNext(callers, besides);
        var scene = await SceneAsync(targets);
        var before = await cluster.ViewAsync();
        var fault = callers.Elapsed;
        await using var witness = new Witness(cluster, before, () => callers.Elapsed - fault);
        var begun = cell.Fault.Begin(scene);
        foreach (var moment in Moments)
        {
            await UntilAsync(callers, fault + (lasting * moment), cancellationToken);
            AskNext(callers, besides);
        }

        await UntilAsync(callers, fault + lasting, cancellationToken);
        await begun;
        await cell.Fault.End(scene);
        var lasted = callers.Elapsed - fault;
        var isWhole = await IsWholeAsync();
        var whole = callers.Elapsed - fault;
        await Task.Delay(After, cancellationToken);
        var (steady, others) = await callers.StopAsync();
        var seen = await witness.StopAsync();
        var hits = scene.Describe(cell.Fault.Hits);
        return Report(CellFigures.Of(steady, fault), others.Count == 0 ? null : CellFigures.Of(others, fault), lasted, isWhole ? whole : null, hits is null ? seen : [hits, .. seen]);
    }

    private static async Task UntilAsync(Callers callers, TimeSpan time, CancellationToken cancellationToken)
    {
        if (time - callers.Elapsed is { } rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, cancellationToken);
        }
    }

    private CellReport Report(CellFigures steady, CellFigures? besides, TimeSpan lasted, TimeSpan? whole, IReadOnlyList<string> seen)
    {
        var fault = cell.Fault;
        var right = steady.IsRight(fault.RequestsMayBeRefused) && besides?.IsRight(fault.LoadsMayBeRefused) != false && whole is not null;
        return new CellReport(
            cell.Name, fault.Expected(cell.Phase), right, null, steady, besides, Math.Round(lasted.TotalSeconds, 2), whole is { } time ? Math.Round(time.TotalSeconds, 2) : null, seen);
    }

    /// <summary>The models that the callers ask, loaded or about to be.</summary>
    private async Task<IReadOnlyList<LoadTarget>> TargetsAsync()
    {
        var numbers = Enumerable.Range(1, _models);
        if (cell.Phase == FaultPhase.Reload)
        {
            var targets = numbers.Select(number => new LoadTarget(Named("model", number), number, number + NewContent)).ToList();
            targets.ForEach(target => cluster.Models.Put(target.Model, OnnxModels.Small(target.Numbers[0]), _settings));
            return targets;
        }

        return await RegisterAsync("model", numbers, OnnxModels.Small, load: true);
    }

    /// <summary>What is asked besides, in turn.</summary>
    private async Task<Queue<(LoadTarget Target, Func<MeshClient, Task>? First)>> BesidesAsync(IReadOnlyList<LoadTarget> targets)
    {
        var besides = new Queue<(LoadTarget, Func<MeshClient, Task>?)>();
        if (cell.Phase == FaultPhase.Reload)
        {
            foreach (var target in targets.Take(Moments.Length + 1))
            {
                besides.Enqueue((new LoadTarget(target.Model, target.Numbers[1]), client => ReloadAsync(client, target)));
            }
        }
        else if (cell.Phase == FaultPhase.Cold)
        {
            foreach (var target in await RegisterAsync("cold", Enumerable.Range(1, Moments.Length + 1), static number => OnnxModels.SlowToLoad(number, LoadProducts), load: false))
            {
                besides.Enqueue((target, null));
            }
        }

        return besides;
    }

    private async Task ReloadAsync(MeshClient client, LoadTarget target)
    {
        cluster.Models.Replace(target.Model, OnnxModels.SlowToLoad(target.Numbers[1], LoadProducts));
        await client.ReloadAsync(target.Model);
    }

    private async Task<IReadOnlyList<LoadTarget>> RegisterAsync(string name, IEnumerable<int> numbers, Func<float, byte[]> model, bool load)
    {
        var client = cluster.Client(0);
        var targets = numbers.Select(number => new LoadTarget(Named(name, number), number)).ToList();
        foreach (var target in targets)
        {
            cluster.Registered.Put(target.Model, model(target.Numbers[0]));
            await client.RegisterAsync(target.Model, _settings, load);
        }

        return targets;
    }

    private string Named(string name, int number) => cluster.Named(string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"));

    private static void AskNext(Callers callers, Queue<(LoadTarget Target, Func<MeshClient, Task>? First)> besides)
    {
        if (besides.TryDequeue(out var next))
        {
            callers.Ask(next.Target, next.First);
        }
    }

    /// <summary>The victim is the silo that loads, where something is loaded, else the one with the most replicas.</summary>
    private async Task<FaultScene> SceneAsync(IReadOnlyList<LoadTarget> targets)
    {
        var loading = cell.Phase == FaultPhase.Steady ? null : await LoadingAsync();
        var view = await cluster.ViewAsync();
        var byReplicas = view.Active.OrderByDescending(node => view.ReplicasOn(node.Silo, targets.Select(static target => target.Model))).Select(static node => node.Silo).ToList();
        var victim = loading ?? byReplicas[0];
        return new FaultScene(cluster, cluster.SiloAt(victim), cluster.SiloAt(byReplicas.First(silo => silo != victim)));
    }

    /// <summary>The silo that loads; null where the load was over before it was seen.</summary>
    private async Task<string?> LoadingAsync()
    {
        string? loading = null;
        try
        {
            await cluster.UntilAsync(view => (loading = view.Active.FirstOrDefault(static node => node.Loading > 0)?.Silo) is not null, LoadBegins);
        }
        catch (TimeoutException)
        {
            return null;
        }

        return loading;
    }

    private async Task<bool> IsWholeAsync()
    {
        try
        {
            await cluster.WholeAsync();
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
