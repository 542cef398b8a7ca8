using Cluster.Grains.Cluster;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Cluster.Silo.Options;
using Cluster.Silo.Repository;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Silo;

/// <summary>A watcher of a repository with the models <c>a</c> and <c>b</c>, in the silo that has the controller.</summary>
public abstract class RepositoryWatcherTestBase : IAsyncLifetime, IDisposable
{
    private readonly LoggerFactory _loggers;

    protected RepositoryWatcherTestBase()
    {
        _loggers = new LoggerFactory([Logged]);
        Agreement = new FakeAgreement(Duty);
        Duty.Begin();
        Published.InitialLoadCompleted += InitialLoad.SetResult;
        Repository.Put("a", "1");
        Repository.Put("b", "1");
    }

    internal static TimeSpan Poll { get; } = TimeSpan.FromSeconds(1);

    internal FakeRepository Repository { get; } = new();

    internal FakeGrains Grains { get; } = new();

    internal InMemoryServingStates Published { get; } = new();

    internal ControllerDuty Duty { get; } = new();

    internal RepositoryStanding Standing { get; } = new();

    internal FakeAgreement Agreement { get; }

    internal ArmedTime Time { get; } = new();

    internal LogSink Logged { get; } = new();

    internal ServeOptions Options { get; } = new() { PollSeconds = Poll.TotalSeconds };

    internal TaskCompletionSource InitialLoad { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the registry is restored.</summary>
    internal Task Restoring { get; set; } = Task.CompletedTask;

    internal RepositoryWatcher? Watcher { get; private set; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (Watcher is not null)
        {
            await Watcher.StopAsync(CancellationToken.None).Soon();
        }

        GC.SuppressFinalize(this);
    }

    public void Dispose()
    {
        Watcher?.Dispose();
        _loggers.Dispose();
        Logged.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Models that the cluster serves from before.</summary>
    internal void Serve(params string[] models) => Array.ForEach(models, model => Published.Publish(States.Model(model, States.Ready(1))));

    internal static FakeRepository Holding(params string[] models)
    {
        var repository = new FakeRepository();
        Array.ForEach(models, model => repository.Put(model, "1"));
        return repository;
    }

    internal Task StartAsync()
    {
        var comparison = new RepositoryComparison(Repository, Standing, Grains, _loggers.CreateLogger<RepositoryComparison>());
        Watcher = new RepositoryWatcher(Repository, Standing, Agreement, comparison, new Restorer(this), Grains, Published, Duty, Options, Time, _loggers.CreateLogger<RepositoryWatcher>());
        return Watcher.StartAsync(CancellationToken.None);
    }

    internal async Task StartAndLoadAsync()
    {
        await StartAsync();
        await InitialLoad.Task.Soon();
        await Time.Armed.Soon();
    }

    /// <summary>
    /// Lets the watcher look, and then once more: what the first look found is handed over when the second begins.
    /// </summary>
    internal async Task TickAsync()
    {
        for (var look = 0; look < 2; look++)
        {
            var scan = Repository.NextScan;
            Time.Clock.Advance(Poll);
            await scan.Soon();
        }
    }

    internal IEnumerable<string> Applied(string model) => Grains.Model(model).Applied.Select(
        applied => $"{applied.Registration.Name}: {(applied.Registration.Versions.IsEmpty ? "gone" : applied.Registration.Versions[0].Revision)}");

    /// <summary>A manual clock that tells when a timer was made.</summary>
    internal sealed class ArmedTime : TimeProvider
    {
        private readonly TaskCompletionSource _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualTimeProvider Clock { get; } = new();

        public Task Armed => _armed.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = Clock.CreateTimer(callback, state, dueTime, period);
            _armed.TrySetResult();
            return timer;
        }
    }

    /// <summary>A registry that is restored when the test says so.</summary>
    private sealed class Restorer(RepositoryWatcherTestBase test) : IRegistryRestorer
    {
        public Task RestoreAsync(CancellationToken cancellationToken) => test.Restoring;
    }
}
