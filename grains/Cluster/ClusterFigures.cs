using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;
using Cluster.Grains.Memory;
using Cluster.Grains.Placement;
using Cluster.Grains.Replicas;
using Microsoft.Extensions.Logging;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Cluster;

/// <summary>Asks every silo for its figures, and adds what each version should have. Safe from any thread.</summary>
internal sealed class ClusterFigures(
    IClusterMembershipService membership,
    IServingStates states,
    IRegistrations registrations,
    ReplicaCache cache,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<ClusterFigures> logger)
{
    /// <summary>A silo that hangs must not keep others from being seen.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(500);

    /// <summary>Of the silos that answer in time.</summary>
    public async Task<IReadOnlyDictionary<string, SiloFigures>> ReadAsync()
    {
        var answers = await Task.WhenAll(membership.CurrentSnapshot.ModelSilos().Select(AskAsync)).ConfigureAwait(false);
        return answers.Where(static answer => answer.Figures is not null).ToDictionary(static answer => answer.Silo.ToParsableString(), static answer => answer.Figures!);
    }

    /// <summary>Of every registered version.</summary>
    public ImmutableArray<VersionFigures> Versions()
    {
        var silos = membership.CurrentSnapshot.ModelSilos().Count();
        return
        [
            .. registrations.All.SelectMany(registration => registration.Versions.Select(source => new VersionFigures(
                registration.Name, source.Version, cache.Declared(source), Wanted(registration, source.Version, silos)))),
        ];
    }

    /// <summary>What it has or is getting, within its bounds; what waits for its next request is to have none.</summary>
    private int Wanted(ModelRegistration registration, long version, int silos)
    {
        var state = states.TryGet(registration.Name, out var model) ? model.Versions.FirstOrDefault(candidate => candidate.Version == version) : null;
        if (state is not { State: ModelVersionState.Ready or ModelVersionState.Loading })
        {
            return 0;
        }

        var bounds = registration.CopyBounds();
        var most = bounds.Most > 0 ? Math.Min(bounds.Most, silos) : silos;
        var have = state.Replicas.Length > 0 ? state.Replicas.Length : state.Arriving.Length;
        return have == 0 && bounds.Least <= 1 ? 0 : Math.Clamp(Math.Max(bounds.Least, have), 1, Math.Max(1, most));
    }

    private async Task<(SiloAddress Silo, SiloFigures? Figures)> AskAsync(SiloAddress silo)
    {
        try
        {
            var figures = await grains.GetGrain<ISiloFiguresGrain>(silo.ToParsableString()).ReadAsync().AsTask().WaitAsync(MaxWait, time).ConfigureAwait(false);
            return (silo, figures);
        }
        catch (Exception exception)
        {
            // What is shown goes on without its figures; the membership says what becomes of it.
            Log.SiloNotAsked(logger, silo.ToString(), exception.Message);
            return (silo, null);
        }
    }
}

/// <inheritdoc cref="ISiloFiguresGrain"/>
[Reentrant, SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
internal sealed class SiloFiguresGrain(LocalReplicas replicas) : Grain, ISiloFiguresGrain
{
    /// <inheritdoc/>
    public ValueTask<SiloFigures> ReadAsync() => ValueTask.FromResult(new SiloFigures(
        [.. replicas.All.Select(static replica => replica.Gauge?.Read()).OfType<ReplicaFigures>()], OnnxAllocator.Pool.InUse, OnnxAllocator.Pool.Limit));
}

/// <summary>What one silo can tell of itself now; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-figures-grain")]
internal interface ISiloFiguresGrain : IGrainWithStringKey
{
    /// <summary>Reads what is counted; takes no lock that requests take for long.</summary>
    [AlwaysInterleave, Alias("read")]
    ValueTask<SiloFigures> ReadAsync();
}

/// <summary>What a silo tells of itself.</summary>
/// <param name="Replicas">Those that are loaded.</param>
/// <param name="TensorMemory">Bytes that sessions and runs take now.</param>
/// <param name="TensorMemoryLimit">Bytes that they may take together.</param>
[GenerateSerializer, Immutable, Alias("silo-figures")]
internal sealed record SiloFigures(
    [property: Id(0)] ImmutableArray<ReplicaFigures> Replicas, [property: Id(1)] long TensorMemory, [property: Id(2)] long TensorMemoryLimit);
