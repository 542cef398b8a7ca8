using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Options;
using Cluster.Grains.Repository;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Placement;

/// <summary>What living silos published of themselves. Reads take no lock and no network; safe from any thread.</summary>
public interface ISiloStates
{
    /// <summary>Every living silo that has published, in no order.</summary>
    IEnumerable<SiloState> All { get; }

    /// <summary>False: the silo is dead, unknown, or has not published yet.</summary>
    bool TryGet(SiloAddress silo, [NotNullWhen(true)] out SiloState? state);

    /// <summary>Replaces a silo's state.</summary>
    void Publish(SiloState state);

    /// <summary>Forgets a silo.</summary>
    void Remove(SiloAddress silo);

    /// <summary>Forgets the silos that are dead, for every process.</summary>
    void RemoveDead();
}

/// <summary>What a silo publishes of itself, for others to choose a place by. Others see it some seconds late.</summary>
[GenerateSerializer, Immutable, Alias("silo-state")]
public sealed record SiloState
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Bytes that replicas may take together.</summary>
    [Id(1)]
    public required long Capacity { get; init; }

    /// <summary>Bytes taken, by replicas that are being unloaded too.</summary>
    [Id(2)]
    public long Used { get; init; }

    /// <summary>Replicas that are loaded or being loaded.</summary>
    [Id(3)]
    public int Copies { get; init; }

    /// <summary>Since the longest unused replica was used; null where none is loaded.</summary>
    [Id(4)]
    public TimeSpan? OldestIdle { get; init; }

    /// <summary>Loads running or waiting.</summary>
    [Id(5)]
    public int Loading { get; init; }

    /// <summary>Inference requests in the last minute.</summary>
    [Id(6)]
    public double RequestsPerMinute { get; init; }

    /// <summary>What the operator calls the silo, for models that need or prefer it.</summary>
    [Id(7)]
    public ImmutableSortedSet<string> Labels { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Whether it takes nothing new: it is about to leave, or an operator drains it.</summary>
    [Id(8)]
    public bool Draining { get; init; }

    /// <summary>Of the software, greater is newer; the newer of two equal places is chosen, so that an upgrade moves copies once.</summary>
    [Id(9)]
    public long Version { get; init; }

    /// <summary>Whether its model repository holds other content than the cluster serves: nothing is placed there while another silo will do.</summary>
    [Id(10)]
    public bool Disagrees { get; init; }

    /// <summary>OpenVINO's kinds of devices that it has; none without OpenVINO.</summary>
    [Id(11)]
    public ImmutableSortedSet<string> Devices { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>ONNX Runtime's version, and OpenVINO's where there is one, for people.</summary>
    [Id(12)]
    public string Runtime { get; init; } = "";

    /// <summary>Bytes left, never negative.</summary>
    public long Free => Math.Max(0, Capacity - Used);
}

/// <summary>The states of the silos of a cluster that is one process.</summary>
public sealed class InMemorySiloStates : ISiloStates
{
    private readonly ConcurrentDictionary<SiloAddress, SiloState> _states = new();

    /// <inheritdoc/>
    public IEnumerable<SiloState> All => _states.Select(static pair => pair.Value);

    /// <inheritdoc/>
    public bool TryGet(SiloAddress silo, [NotNullWhen(true)] out SiloState? state) => _states.TryGetValue(silo, out state);

    /// <inheritdoc/>
    public void Publish(SiloState state) => _states[state.Silo] = state;

    /// <inheritdoc/>
    public void Remove(SiloAddress silo) => _states.TryRemove(silo, out _);

    /// <inheritdoc/>
    public void RemoveDead()
    {
        // The one silo there is lives.
    }
}

/// <summary>Registers what silos know of each other's load.</summary>
public static class SiloStates
{
    /// <summary>For a cluster that is one process: the states in memory, and the hosted service that publishes this silo's.</summary>
    public static IServiceCollection AddSiloStates(this IServiceCollection services, SiloStateOptions options)
    {
        services.TryAddSingleton<ISiloStates, InMemorySiloStates>();
        services.TryAddSingleton<IRuntimeVersions, RuntimeVersions>();
        return services.AddSiloStatePublisher(options);
    }

    internal static IServiceCollection AddSiloStatePublisher(this IServiceCollection services, SiloStateOptions options)
    {
        services.AddSingleton(options);
        services.AddClusterOptions<PublishOptions>();
        services.TryAddSingleton<SiloDraining>();
        services.TryAddSingleton<RepositoryStanding>();
        return services.AddHostedService<SiloStatePublisher>();
    }
}
