using System.Globalization;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Reload;

/// <summary>The repository changes under load, and no client of a model that stays notices.</summary>
public sealed class ReloadTests(ITestOutputHelper output)
{
    /// <summary>A model that nothing is done to.</summary>
    private const string Steady = "steady";

    /// <summary>A load beside a request costs it some processor time, never this much; and a request must not wait for a load.</summary>
    private static readonly TimeSpan LatencyBound = TimeSpan.FromSeconds(2);

    [Fact]
    public Task Requests_WhileTheRepositoryChanges_NeverFail() => RunAsync(TimeSpan.FromSeconds(20));

    [Fact]
    [Trait("Category", "Soak")]
    public Task Requests_WhileTheRepositoryChangesForMinutes_NeverFail() => RunAsync(TimeSpan.FromMinutes(5));

    private async Task RunAsync(TimeSpan duration)
    {
        using var models = ModelFolder.Create();
        foreach (var name in new[] { Steady, RepositoryChanges.Changing, RepositoryChanges.Managed })
        {
            models.AddVersion(name, 1, RepositoryChanges.ContentOf(1));
        }

        await using var process = await ServerProcess.StartAsync("--models", models.Path, "--poll-seconds", "0.2");
        using var server = new ReloadServer(process);
        var changes = new RepositoryChanges(models, server);
        IInferClient Grpc() => new GrpcInferClient(process.GrpcTarget);
        IInferClient Rest() => new RestInferClient(process.HttpUrl);
        var loads = new[]
        {
            new SteadyLoad("steady, gRPC", Grpc, Steady, [1]),
            new SteadyLoad("steady, REST", Rest, Steady, [1]),
            new SteadyLoad("changing, gRPC", Grpc, RepositoryChanges.Changing, [1, 2, 3]),
            new SteadyLoad("changing, REST", Rest, RepositoryChanges.Changing, [1, 2, 3]),
        };
        var managed = new SteadyLoad("managed, gRPC", Grpc, RepositoryChanges.Managed, [1]);

        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(loads.Append(managed).Select(load => Task.Run(() => load.RunAsync(stop.Token))));
        var before = ProcessVitals.Of(process.Id);
        await ChangeForAsync(changes, duration);
        await stop.CancelAsync();
        await running;

        Report([.. loads, managed], changes, before, ProcessVitals.Of(process.Id));
        Assert.All(loads, load => Assert.True(load.Failed == 0, string.Join('\n', load.Failures)));
        Assert.All(loads, load => Assert.InRange(load.Slowest, TimeSpan.Zero, LatencyBound));
        Assert.All(loads, load => Assert.True(load.Answered > duration.TotalSeconds, $"{load}"));
        Assert.All(managed.Failures, failure => Assert.Contains("NotFound", failure, StringComparison.Ordinal));
        Assert.False(process.HasExited);
    }

    private static async Task ChangeForAsync(RepositoryChanges changes, TimeSpan duration)
    {
        var start = TimeProvider.System.GetTimestamp();
        do
        {
            await changes.RunAsync();
        }
        while (TimeProvider.System.GetElapsedTime(start) < duration);
    }

    private void Report(IEnumerable<SteadyLoad> loads, RepositoryChanges changes, ProcessVitals before, ProcessVitals after)
    {
        foreach (var load in loads)
        {
            output.WriteLine(load.ToString());
        }

        var made = changes.Done.Values.Sum();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{made} changes: {string.Join(", ", changes.Done.Select(done => $"{done.Key} {done.Value}"))}"));
        output.WriteLine($"server before: {before}; after: {after}");
    }
}
