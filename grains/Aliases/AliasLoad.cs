using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Aliases;

/// <summary>
/// Has the target, or the candidate, of an alias loaded: at once or, where it failed, after a while. A load is waited for outside of the grain's turns; its end is told
/// by <see cref="IAliasGrain.ReviewAsync"/>. An alias on its way stays activated. Used on the grain's scheduler alone.
/// </summary>
/// <param name="state">The alias as it is now; null where there is none.</param>
/// <param name="stay">Keeps the grain activated for some time.</param>
/// <param name="retryFailed">Until a model that failed is tried again.</param>
internal sealed class AliasLoad(
    Grain grain,
    Func<AliasState?> state,
    Func<string, IRegistryGrain> registry,
    Action<TimeSpan> stay,
    IServingStates states,
    TimeSpan retryFailed,
    ILogger logger)
{
    /// <summary>A silo that took part in the load was lost, which says nothing about the target: others take its place in about this time.</summary>
    private static readonly TimeSpan RetryLost = TimeSpan.FromMilliseconds(500);

    /// <summary>How soon what could not be written is tried again.</summary>
    private static readonly TimeSpan RetryKeep = TimeSpan.FromSeconds(5);

    private IGrainTimer? _retry;
    private string? _loading;
    private bool _isEnding;

    /// <summary>Whether a load is waited for, or the time to try it again.</summary>
    public bool IsUnderWay => _loading is not null || _retry is not null;

    /// <summary>The activation ends: loads that fail with it are not told.</summary>
    public void End() => _isEnding = true;

    /// <summary>Call it after each change of the alias.</summary>
    public void Proceed()
    {
        _retry?.Dispose();
        _retry = null;
        if (state()?.Awaited is not { } awaited)
        {
            stay(TimeSpan.Zero);
            return;
        }

        stay(Timeout.InfiniteTimeSpan);
        if (state()?.AwaitedFailure is null)
        {
            Load(awaited);
        }
        else
        {
            RetryIn(retryFailed);
        }
    }

    private Task RetryAsync(CancellationToken cancellationToken)
    {
        if (state()?.Awaited is { } awaited)
        {
            Load(awaited);
        }

        return Task.CompletedTask;
    }

    private void Load(string target)
    {
        if (_loading != target)
        {
            _loading = target;
            _ = LoadAsync(target);
        }
    }

    private async Task LoadAsync(string target)
    {
        string? failure = null;
        var lost = false;
        try
        {
            await registry(target).EnsureLoadedAsync(target, CancellationToken.None);
            failure = state() is { InTransition: false, Traffic: { } traffic } ? TrafficPlan.Lacks(traffic.Rule, states) : null;
        }
        catch (SiloUnavailableException)
        {
            lost = true;
        }
        catch (ServingException exception)
        {
            failure = exception.Failure.Message;
        }
        catch (Exception) when (_isEnding)
        {
            // The next activation begins again.
            return;
        }
        catch (Exception exception)
        {
            // Of any kind: the alias must hear of it, or it would wait for ever.
            Log.LoadFailed(logger, exception, grain.GetPrimaryKeyString(), target);
            failure = $"internal error while loading model '{target}'";
        }

        if (_loading == target)
        {
            _loading = null;
            if (lost)
            {
                RetryIn(RetryLost);
                return;
            }
        }

        try
        {
            await grain.AsReference<IAliasGrain>().ReviewAsync(target, failure);
        }
        catch (Exception) when (_isEnding)
        {
            // The next activation begins anew.
        }
        catch (Exception exception) when (exception is ServingException or OrleansException or TimeoutException)
        {
            // What became of the load cannot be written now: the alias would wait for ever.
            Log.NotReviewed(logger, grain.GetPrimaryKeyString(), target, exception.Message);
            RetryIn(RetryKeep);
        }
    }

    private void RetryIn(TimeSpan wait)
    {
        _retry?.Dispose();
        _retry = grain.RegisterGrainTimer(RetryAsync, wait, retryFailed);
    }
}
