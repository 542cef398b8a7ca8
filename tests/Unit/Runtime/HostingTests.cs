using System.Diagnostics.Metrics;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class HostingTests
{
    [Fact]
    public void Options_Defaults_AreValid() =>
        Assert.True(new ActorRuntimeOptionsValidator().Validate(null, new ActorRuntimeOptions()).Succeeded);

    [Fact]
    public void Options_ThatCannotWork_AreAllNamed()
    {
        var result = new ActorRuntimeOptionsValidator().Validate(null, new ActorRuntimeOptions
        {
            ClusterId = " ",
            SiloName = "",
            ResponseTimeout = TimeSpan.FromMilliseconds(1),
            HeartbeatInterval = TimeSpan.FromSeconds(1),
            CollectionAge = TimeSpan.Zero,
            CollectionQuantum = TimeSpan.FromMilliseconds(1),
            DeactivationTimeout = Timeout.InfiniteTimeSpan,
        });

        foreach (var property in new[] { "ClusterId", "SiloName", "ResponseTimeout", "CollectionAge", "CollectionQuantum", "DeactivationTimeout" })
        {
            Assert.Contains(result.Failures!, failure => failure.StartsWith(property, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void AddActorRuntime_WithBadOptions_RefusesToStart()
    {
        using var services = new ServiceCollection()
            .AddActorRuntime(options => options.ResponseTimeout = TimeSpan.Zero)
            .BuildServiceProvider();

        Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IStartupValidator>().Validate());
    }

    [Fact]
    public void AddActorRuntime_WithAnAssemblyWithoutGrains_SaysSo()
    {
        using var services = new ServiceCollection()
            .AddActorRuntime(options => options.AddApplicationPart(typeof(string).Assembly))
            .BuildServiceProvider();

        Assert.Throws<InvalidOperationException>(services.GetRequiredService<IGrainFactory>);
    }

    [Fact]
    public async Task LocalSilo_IsTheOnlyActiveMember()
    {
        await using var silo = await TestSilo.StartAsync(options => options.SiloName = "one");
        var local = silo.Services.GetRequiredService<ILocalSiloDetails>();
        var membership = silo.Services.GetRequiredService<IClusterMembershipService>();

        await foreach (var snapshot in membership.MembershipUpdates)
        {
            Assert.Equal(new ClusterMember(local.SiloAddress, SiloStatus.Active, "one"), Assert.Single(snapshot.Members.Values));
            break;
        }

        var earlier = SiloAddress.New(local.SiloAddress.Endpoint, local.SiloAddress.Generation - 1);
        Assert.Equal(SiloStatus.Dead, membership.CurrentSnapshot.GetSiloStatus(earlier));
    }

    [Fact]
    public async Task Metrics_TellActivationsFailuresAndTimeOuts()
    {
        await using var silo = await TestSilo.StartAsync();
        silo.ExpectedErrors.Add(1010);
        var sums = new Dictionary<string, long>();
        using var listener = new MeterListener();
        var factory = silo.Services.GetRequiredService<IMeterFactory>();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Cluster.Runtime" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var key = tags.Length > 0 ? $"{instrument.Name} {tags[0].Value}" : instrument.Name;
            sums[key] = sums.GetValueOrDefault(key) + value;
        });
        listener.Start();

        await silo.Get<IEchoGrain>("a").DoNothing().Soon();
        await silo.Get<IEchoGrain>("b").DoNothing().Soon();
        await Assert.ThrowsAsync<InvalidDataException>(() => silo.Get<ILifecycleGrain>("bad").Ping().Soon());
        var late = silo.Get<IWorkGrain>("a").RunShort("1", default);
        var pending = silo.Get<IWorkGrain>("b").Run("2");
        silo.Time.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<TimeoutException>(() => late.Soon());
        listener.RecordObservableInstruments();

        Assert.Equal(2, sums["cluster.runtime.activations echo"]);
        Assert.Equal(1, sums["cluster.runtime.activation.failures lifecycle"]);
        Assert.Equal(1, sums["cluster.runtime.calls.timeouts work"]);
        Assert.Equal(1, sums["cluster.runtime.calls.pending"]);
        silo.Probe.Set("release 2");
        await pending.Soon();
    }
}
