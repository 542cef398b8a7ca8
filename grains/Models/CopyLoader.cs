using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>Has copies loaded and ended, wherever they are placed.</summary>
internal sealed class CopyLoader(string model, IGrainFactory grains, ModelKeeper keeper, CopyOptions options)
{
    /// <summary>How soon what found no silo is worth another try.</summary>
    public static readonly TimeSpan NoSiloRetry = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Returns once the copy is loaded, or cannot be. A silo that refuses it, fails to load it, or is lost meanwhile leaves it to the next: the failing copy
    /// has told this model before it says so.
    /// </summary>
    public async Task<LoadOutcome> LoadAsync(ModelVersionSource source, int copy)
    {
        var settingsRevision = keeper.State.Registration!.SettingsRevision;
        for (var tries = 1; ; tries++)
        {
            try
            {
                await Grain(source.Version, copy).DescribeAsync(CancellationToken.None);
                if (IsOf(source, copy, settingsRevision))
                {
                    return LoadOutcome.Loaded;
                }

                // Loaded by what its silo knew before.
                await EndAsync(source.Version, copy);
                if (tries >= options.MaxLoadTries)
                {
                    return Gone($"copy {copy} of model '{model}' version {source.Version} is loaded with other content than it should be");
                }
            }
            catch (ServingException exception) when (IsMoved(exception.Failure))
            {
                if (tries >= options.MaxLoadTries)
                {
                    return new LoadOutcome(exception.Failure, IsFinal: false);
                }
            }
            catch (ServingException exception)
            {
                return new LoadOutcome(exception.Failure, IsFinal: exception.Failure.Code != StatusCode.ResourceExhausted && !IsNoSilo(exception.Failure));
            }
            catch (SiloUnavailableException exception)
            {
                if (tries >= options.MaxLoadTries)
                {
                    return Gone(exception.Message);
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return new LoadOutcome(Failure.Internal(exception.Message), IsFinal: true);
            }
        }
    }

    /// <summary>Ends a copy that no published state names any more; it may have ended already.</summary>
    public async Task EndAsync(long version, int copy)
    {
        try
        {
            await Grain(version, copy).UnloadAsync();
        }
        catch (ServingException exception) when (IsMoved(exception.Failure))
        {
            // It is not in memory, and does not come back for this call.
        }
        catch (SiloUnavailableException)
        {
            // It ended with its silo.
        }
    }

    private static bool IsMoved(Failure failure) => failure is { Code: StatusCode.Unavailable, RetryAfter: { } retry } && retry == TimeSpan.Zero;

    /// <summary>Another silo may come, whatever those that there are now lack.</summary>
    private static bool IsNoSilo(Failure failure) => failure.Code == StatusCode.Unavailable && failure.RetryAfter == NoSiloRetry;

    private static LoadOutcome Gone(string reason) => new(Failure.Unavailable(reason, NoSiloRetry), IsFinal: false);

    /// <summary>As far as it is known yet: its report may come after its answer.</summary>
    private bool IsOf(ModelVersionSource source, int copy, string settingsRevision) =>
        CopyPlan.PresenceOf(keeper.State, source.Version, copy) is not { InMemory: true } presence
        || (presence.Revision == source.Revision && presence.SettingsRevision == settingsRevision);

    private IModelVersionGrain Grain(long version, int copy) => grains.GetGrain<IModelVersionGrain>(new ModelCopyId(model, version, copy).ToString());
}
