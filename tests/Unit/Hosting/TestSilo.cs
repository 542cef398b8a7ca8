using Cluster.Grains.Repository.Versions;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Hosting;

/// <summary>
/// A silo of a cluster of one, with a manual clock. Errors of ours that the test did not announce fail it when the silo is disposed. What Orleans logs of exceptions
/// that callers get does not, nor that calls are refused because the silo stops.
/// </summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _stopped;

    private TestSilo(IHost host) => _host = host;

    public ManualTimeProvider Time => (ManualTimeProvider)Services.GetRequiredService<TimeProvider>();

    public IServiceProvider Services => _host.Services;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    public LogSink LogSink => Services.GetRequiredService<LogSink>();

    /// <summary>Event ids of errors that the test provokes.</summary>
    public HashSet<int> ExpectedErrors { get; } = [];

    public static async Task<TestSilo> StartAsync(
        Action<IServiceCollection>? services = null, TimeProvider? time = null)
    {
        var sink = new LogSink();
        var host = new HostBuilder().ConfigureServices(collection =>
        {
            collection.AddSingleton(sink);
            collection.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(sink));
            collection.AddSingleton(time ?? new ManualTimeProvider());

            // Orleans itself has the real clock: it compares what the manual one says with the system's.
            foreach (var name in (string[])[TimeProviderNames.ActivationManagement, TimeProviderNames.GrainDirectory, TimeProviderNames.Membership, TimeProviderNames.Messaging, TimeProviderNames.SystemTimers])
            {
                collection.AddKeyedSingleton(name, TimeProvider.System);
            }

            collection.AddSingleton<IContentCheck, AnyContent>();
            collection.AddSingleton<SeenActivations>();
            collection.AddSingleton<IConfigureGrainContextProvider>(provider => provider.GetRequiredService<SeenActivations>());
            services?.Invoke(collection);
            collection.AddOrleansSilo(new OrleansSilo { ClusterId = "test" });
        }).Build();
        await host.StartAsync().Soon("the silo's start");
        return new TestSilo(host);
    }

    public T Get<T>(string key)
        where T : IGrainWithStringKey => Grains.GetGrain<T>(key);

    /// <summary>The ends of the activations that there are of a grain.</summary>
    public IReadOnlyList<Task> EndsOf<T>() => Services.GetRequiredService<SeenActivations>().EndsOf<T>();

    /// <summary>Has grains which are idle end, as after a long time; waits for those that there are of a grain.</summary>
    public async Task RestAsync<T>()
    {
        var ends = EndsOf<T>();
        await Grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero).Soon("the collection of idle grains");
        await Task.WhenAll(ends).Soon("the end of idle grains");
    }

    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _stopped = true;
        await _host.StopAsync(cancellationToken).Soon("the silo's stop");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            await StopAsync();
        }

        var sink = LogSink;
        _host.Dispose();
        Assert.DoesNotContain(sink.Entries, entry => entry.Level >= LogLevel.Error
            && entry.Exception is not SiloUnavailableException
            && !entry.Category!.StartsWith("Orleans", StringComparison.Ordinal)
            && !ExpectedErrors.Contains(entry.Id.Id));
    }
}
