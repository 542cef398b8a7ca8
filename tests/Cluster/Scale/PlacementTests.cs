using Cluster.ClusterTests.Support;
using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Scale;

/// <summary>Where replicas go, and how many there are.</summary>
[Collection(RoomyCluster.Name)]
public sealed class PlacementTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private const int Callers = 4;
    private const string FourCopies = """{"min_copies": 4, "max_copies": 4}""";
    private const string NeedsGpu = """{"required_labels": ["gpu"]}""";
    private const string PrefersGpu = """{"preferred_labels": ["gpu"]}""";
    private const string NeedsWhatNoSiloHas = """{"required_labels": ["unheard-of"]}""";

    [Fact]
    public async Task Labels_RequiredAreKeptPreferredArePreferredAndMissingOnesNamed()
    {
        var cluster = await ClusterAsync();
        var required = await RegisterAsync(cluster, "required", 4, OnnxModels.Small, NeedsGpu, load: false);
        var preferred = await RegisterAsync(cluster, "preferred", 4, OnnxModels.Small, PrefersGpu, load: false);
        var impossible = await RegisterAsync(cluster, "impossible", 1, OnnxModels.Small, NeedsWhatNoSiloHas, load: false);
        var (client, gpu) = (cluster.Client(1), cluster.Silos[0].Silo);

        foreach (var model in required.Concat(preferred))
        {
            AssertOk(await client.InferAsync(model.Model, Patience), model.Numbers[0]);
            await cluster.UntilAsync(view => view.SilosOf(model.Model).SequenceEqual([gpu]), Patience, what: $"{model.Model} is on {gpu}");
        }

        var refused = await client.InferAsync(impossible[0].Model, Patience);
        AssertRefused(refused, StatusCode.Unavailable, "unheard-of");

        // Without the one that has the label, what prefers it goes elsewhere and what needs it waits for it.
        await cluster.Silos[0].KillAsync();
        await cluster.UntilAsync(view => !view.IsActive(gpu), Patience, gateway: 1);
        AssertOk(await client.InferAsync(preferred[0].Model, Patience), 1);
        Assert.False((await client.InferAsync(required[0].Model, TimeSpan.FromSeconds(3))).IsOk);
        await cluster.Silos[0].StartAsync();
        await cluster.AnswersAsync(client, required[0].Model, 1, Patience);
    }

    [Fact]
    public async Task CorruptModel_IsTriedOnAtMostThreeSilosAndItsReasonTold()
    {
        var cluster = await ClusterAsync();
        await cluster.AddSiloAsync();
        await cluster.WholeAsync();
        var corrupt = cluster.Named("corrupt");
        cluster.Registered.Put(corrupt, OnnxModels.Corrupt());
        await cluster.Client(0).RegisterAsync(corrupt);

        for (var i = 0; i < 8; i++)
        {
            var answer = await cluster.Client(i % 2).InferAsync(corrupt, Patience);
            AssertRefused(answer, StatusCode.Unavailable, corrupt, "protobuf");
        }

        Assert.InRange(await cluster.SumAsync("cluster_model_loads", $"name=\"{corrupt}\"", "result=\"failure\""), 1, 3);
        Assert.InRange((await cluster.ViewAsync()).Models[corrupt].FailedOn.Distinct().Count(), 1, 3);

        // Mended and asked for: it serves.
        File.WriteAllBytes(Path.Combine(cluster.Registered.Path, corrupt, "1", "model.onnx"), OnnxModels.Small(5));
        await cluster.Client(1).EnsureLoadedAsync(corrupt);
        await cluster.AnswersAsync(cluster.Client(0), corrupt, 5, Patience);
    }

    /// <summary>One replica is asked for more than one should be: others come beside it, up to the most, and no request fails meanwhile.</summary>
    [Fact]
    public async Task Load_BeyondOneCopy_AddsCopiesUpToTheMost()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "busy", 1, static number => OnnxModels.SlowToRun(number, 40), """{"max_copies": 2, "concurrency": 1}""");
        await CopiesAsync(cluster, models, 1, Patience);

        // As many at once as keep one replica busy at any speed of the machine, and no more than its queue takes.
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(i => CallAsync(cluster.Client(i % 2), models[0], stop.Token)).ToList();
        await CopiesAsync(cluster, models, 2, TimeSpan.FromSeconds(90));
        await stop.CancelAsync();

        Assert.All(await Task.WhenAll(callers), static answered => Assert.InRange(answered, 1, int.MaxValue));
        Assert.Equal(2, (await cluster.ViewAsync()).SilosOf(models[0].Model).Count);
    }

    /// <summary>The number of replicas is no matter of the replica that is there: it stays as it is.</summary>
    [Fact]
    public async Task MinCopies_RaisedInTheRepository_AddsACopyAndLoadsNothingAnew()
    {
        var cluster = await ClusterAsync();
        LoadTarget[] models = [new(cluster.Named("model"), [1])];
        cluster.Models.Put(models[0].Model, OnnxModels.Small(1));
        await cluster.AnswersAsync(cluster.Client(0), models[0].Model, 1, Patience);
        await CopiesAsync(cluster, models, 1, Patience);

        await File.WriteAllTextAsync(Path.Combine(cluster.Models.Path, models[0].Model, "model.json"), """{"min_copies": 2}""");
        await CopiesAsync(cluster, models, 2, Patience);

        Assert.Equal(2, await cluster.LoadsAsync(models[0].Model));
    }

    [Fact]
    public async Task SiloJoins_IdleModelWithFewerCopiesThanItsLeast_GetsOneThere()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 2, OnnxModels.Small, FourCopies);
        await CopiesAsync(cluster, models, 3, Patience);

        await cluster.AddSiloAsync();
        await CopiesAsync(cluster, models, 4, TimeSpan.FromSeconds(60));
    }

    /// <summary>One request after the other, each of which must be answered; how many there were.</summary>
    private static async Task<int> CallAsync(MeshClient client, LoadTarget model, CancellationToken stop)
    {
        var answered = 0;
        while (!stop.IsCancellationRequested)
        {
            AssertOk(await client.InferAsync(model.Model, Patience), model.Numbers[0]);
            answered++;
        }

        return answered;
    }
}
