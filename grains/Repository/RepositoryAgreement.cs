using System.Collections.Immutable;
using Cluster.Grains.Cluster;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Repository;

/// <summary>Asks the other silos what their repositories hold.</summary>
internal interface IRepositoryAgreement
{
    /// <summary>Whether there is no other silo to ask.</summary>
    bool IsAlone { get; }

    /// <summary>A silo that does not answer has no voice.</summary>
    /// <param name="models">Models whose state in this silo's repository is news.</param>
    /// <param name="snapshot">What this silo's repository holds.</param>
    Task<RepositoryVote> AskAsync(ImmutableArray<string> models, RepositorySnapshot snapshot, CancellationToken cancellationToken);

    /// <summary>Has the controller, and with it the watching of the repository, be on another silo.</summary>
    Task LeaveAsync(CancellationToken cancellationToken);
}

/// <inheritdoc cref="IRepositoryAgreement"/>
internal sealed class RepositoryAgreement(
    IClusterMembershipService membership, ILocalSiloDetails local, IGrainFactory grains, TimeProvider time, ILogger<RepositoryAgreement> logger) : IRepositoryAgreement
{
    /// <summary>A silo that reads so long is not waited for.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public bool IsAlone => !Others().Any();

    /// <inheritdoc/>
    public async Task<RepositoryVote> AskAsync(ImmutableArray<string> models, RepositorySnapshot snapshot, CancellationToken cancellationToken)
    {
        ImmutableArray<string?> mine = [.. models.Select(model => RepositoryVote.Fingerprint(snapshot.Models.GetValueOrDefault(model)))];
        var answers = await Task.WhenAll(Others().Select(silo => AskAsync(silo, models, cancellationToken))).ConfigureAwait(false);
        return RepositoryVote.Count(models, mine, [.. answers.OfType<ImmutableArray<string?>>()]);
    }

    /// <inheritdoc/>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        var controller = grains.GetGrain<IControllerGrain>(IControllerGrain.Key);
        await controller.LeaveAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);

        // It comes back with the next call, which prefers silos with repositories that agree.
        await controller.MembershipChangedAsync(membership.CurrentSnapshot.Version, cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<SiloAddress> Others() => membership.CurrentSnapshot.ModelSilos().Where(silo => silo != local.SiloAddress);

    /// <summary>Null: the silo did not answer, and has no voice.</summary>
    private async Task<ImmutableArray<string?>?> AskAsync(SiloAddress silo, ImmutableArray<string> models, CancellationToken cancellationToken)
    {
        try
        {
            return await grains.GetGrain<ISiloRepositoryGrain>(silo.ToParsableString()).FingerprintAsync(models).AsTask()
                .WaitAsync(MaxWait, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A silo that does not answer cannot say that it serves something else.
            Log.RepositoryNotAsked(logger, silo.ToString(), exception.Message);
            return null;
        }
    }
}

/// <inheritdoc cref="ISiloRepositoryGrain"/>
[SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
internal sealed class SiloRepositoryGrain(IModelRepository repository) : Grain, ISiloRepositoryGrain
{
    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string?>> FingerprintAsync(ImmutableArray<string> models)
    {
        // Files are read on a thread of the pool: the grains' own are for turns that do not block.
        await repository.RefreshAsync(null, CancellationToken.None);
        var snapshot = await Task.Run(repository.Scan);
        return [.. models.Select(model => RepositoryVote.Fingerprint(snapshot.Models.GetValueOrDefault(model)))];
    }
}

/// <summary>One silo's model repository; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-repository")]
internal interface ISiloRepositoryGrain : IGrainWithStringKey
{
    /// <summary>Reads the repository now: a <see cref="RepositoryVote.Fingerprint"/> for each model, null where it holds none.</summary>
    [AlwaysInterleave, Alias("fingerprints")]
    ValueTask<ImmutableArray<string?>> FingerprintAsync(ImmutableArray<string> models);
}
