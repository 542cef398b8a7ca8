using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Runtime;

/// <summary>A silo with a manual clock. Errors that the test did not announce fail it when the silo is disposed.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private bool _stopped;

    private TestSilo(ServiceProvider services) => _services = services;

    public ManualTimeProvider Time => (ManualTimeProvider)_services.GetRequiredService<TimeProvider>();

    public IServiceProvider Services => _services;

    public IGrainFactory Grains => _services.GetRequiredService<IGrainFactory>();

    public ActorRuntime Runtime => _services.GetRequiredService<ActorRuntime>();

    public LogSink LogSink => _services.GetRequiredService<LogSink>();

    public TestProbe Probe => _services.GetRequiredService<TestProbe>();

    /// <summary>Event ids of errors that the test provokes.</summary>
    public HashSet<int> ExpectedErrors { get; } = [];

    public static async Task<TestSilo> StartAsync(
        Action<ActorRuntimeOptions>? configure = null, Action<IServiceCollection>? services = null, TimeProvider? time = null)
    {
        var collection = new ServiceCollection();
        var sink = new LogSink();
        collection.AddSingleton(sink);
        collection.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(sink));
        collection.AddSingleton(time ?? new ManualTimeProvider());
        collection.AddSingleton<TestProbe>();
        services?.Invoke(collection);
        collection.AddActorRuntime(options =>
        {
            options.AddApplicationPart(typeof(TestSilo).Assembly);
            configure?.Invoke(options);
        });
        var silo = new TestSilo(collection.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true }));
        foreach (var service in silo._services.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }

        return silo;
    }

    public T Get<T>(string key)
        where T : IGrainWithStringKey => Grains.GetGrain<T>(key);

    /// <summary>The ends of the activations that there are of a grain.</summary>
    public IReadOnlyList<Task> EndsOf<T>() => [.. Runtime.Catalog.All.Where(activation => activation.GrainInstance is T).Select(activation => activation.Deactivated)];

    /// <summary>Lets so much time pass that grains which are idle end; waits for those that there are of a grain.</summary>
    public async Task RestAsync<T>()
    {
        var ends = EndsOf<T>();
        Time.Advance(TimeSpan.FromHours(1));
        await Task.WhenAll(ends).Soon("the end of idle grains");
    }

    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _stopped = true;
        foreach (var service in _services.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(cancellationToken).Soon("the silo's stop");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            await StopAsync();
        }

        var sink = LogSink;
        await _services.DisposeAsync();
        Assert.DoesNotContain(sink.Entries, entry => entry.Level >= LogLevel.Error && !ExpectedErrors.Contains(entry.Id.Id));
    }
}
