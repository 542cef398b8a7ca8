using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Support;

/// <summary>What tests of a cluster have in common.</summary>
public abstract class ClusterTest(SharedCluster shared, ITestOutputHelper output) : IAsyncDisposable
{
    /// <summary>Settings of a model with exactly one replica while it is in memory, however much it is asked for.</summary>
    internal const string OneCopy = """{"max_copies": 1}""";

    /// <summary>Settings of a model with exactly two replicas.</summary>
    internal const string TwoCopies = """{"min_copies": 2, "max_copies": 2}""";

    /// <summary>What an answer of a cluster that is whole takes at most, on a machine that is busy with loads.</summary>
    internal static readonly TimeSpan Ordinary = TimeSpan.FromMilliseconds(250);

    /// <summary>For one request whose time is not the question.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long a silo may take to be noticed as killed.</summary>
    internal static readonly TimeSpan Detection = TimeSpan.FromSeconds(0.5);

    protected ITestOutputHelper Output { get; } = output;

    public async ValueTask DisposeAsync() => await shared.GiveBackAsync(failed: TestContext.Current.TestState?.Result == TestResult.Failed);

    /// <summary>Registers <c>name-1</c>, <c>name-2</c>, … that answer 1, 2, …</summary>
    /// <param name="load">Whether to load them, and wait for that.</param>
    internal static async Task<IReadOnlyList<LoadTarget>> RegisterAsync(
        TestCluster cluster, string name, int count, Func<float, byte[]> model, string settings = "", bool load = true)
    {
        var client = cluster.Client(0);
        var targets = Enumerable.Range(1, count).Select(number => new LoadTarget(cluster.Named($"{name}-{number}"), [number])).ToList();
        foreach (var target in targets)
        {
            cluster.Registered.Put(target.Model, model(target.Numbers[0]));
        }

        var states = await Task.WhenAll(targets.Select(target => client.RegisterAsync(target.Model, settings, load)));
        Assert.All(states, state => Assert.Empty(state.Errors));
        return targets;
    }

    /// <summary>Waits until each of the models serves on so many silos, seen through every gateway that runs.</summary>
    internal static async Task CopiesAsync(TestCluster cluster, IEnumerable<LoadTarget> targets, int replicas, TimeSpan limit)
    {
        for (var i = 0; i < cluster.Gateways.Count; i++)
        {
            if (cluster.Gateways[i].IsRunning)
            {
                await cluster.UntilAsync(
                    view => targets.All(target => view.SilosOf(target.Model).Distinct().Count() == replicas), limit, i, $"{replicas} replicas of each of {string.Join(", ", targets.Select(target => target.Model))}");
            }
        }
    }

    /// <summary>The cluster that the tests of this class share.</summary>
    private protected Task<TestCluster> ClusterAsync() => shared.TakeAsync(Output);

    /// <summary>A cluster for one test.</summary>
    private protected async Task<TestCluster> OwnClusterAsync(ClusterSetup setup)
    {
        // Two at once would measure each other.
        await shared.EndAsync();
        return await TestCluster.StartAsync(setup, Output.WriteLine);
    }

    internal static IEnumerable<string> Names(IEnumerable<LoadTarget> targets) => targets.Select(static target => target.Model);

    /// <param name="words">Of the message.</param>
    internal static void AssertRefused(InferResult result, StatusCode status, params string[] words)
    {
        Assert.True(result.Status == status && words.All(word => result.Message.Contains(word, StringComparison.OrdinalIgnoreCase)), $"{result}");
    }

    internal static void AssertOk(InferResult result, float number)
    {
        Assert.True(result.IsOk, $"{result}");
        Assert.Equal(number, result.Number);
    }
}
