using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>
/// Brings one activation up and down. Both run as turns of the activation and never throw.
/// <list type="number">
/// <item>Up: register in the directory, construct, read states, <c>OnActivateAsync</c>.</item>
/// <item>Down: <c>OnDeactivateAsync</c>, then the end.</item>
/// <item>The end, also of a failed way up: dispose, leave directory and catalog, pass the waiting requests on.</item>
/// </list>
/// </summary>
#pragma warning disable CA1001 // A cancellation source without a timer holds nothing that needs disposal.
internal sealed class ActivationLifecycle(Activation activation)
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _bringUp = new();
    private AsyncServiceScope? _scope;

    /// <summary>The grain object; null before it is constructed and after the end.</summary>
    public IGrainBase? Instance { get; private set; }

    public IServiceProvider Services =>
        _scope?.ServiceProvider ?? throw new InvalidOperationException($"{activation.GrainId} has no services before it is constructed and after its end");

    private ActorRuntime Runtime => activation.Runtime;

    public void CancelBringUp() => _ = _bringUp.CancelAsync();

    public void BringUp() => _ = BringUpAsync();

    public void BringDown(Ending ending) => _ = BringDownAsync(ending);

    private async Task BringUpAsync()
    {
        try
        {
            Runtime.Catalog.ThrowIfStopping(activation.GrainId);
            if (!await RegisterAsync())
            {
                await EndAsync(null);
                return;
            }

            await ConstructAsync();
            await Instance!.OnActivateAsync(_bringUp.Token);
        }
#pragma warning disable CA1031 // Whatever fails is the callers'.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await EndAsync(Explain(exception));
            return;
        }

        activation.BecomeValid();
    }

    /// <summary>False: another silo has the grain.</summary>
    private async Task<bool> RegisterAsync()
    {
        var winner = await Runtime.Directory.Register(activation.Address);
        if (winner is not null && !winner.Matches(activation.Address) && winner.SiloAddress == Runtime.Silo.SiloAddress)
        {
            // This silo's own table says that there is no other: the entry is left over.
            winner = await Runtime.Directory.Register(activation.Address, winner);
        }

        if (winner is null || winner.Matches(activation.Address))
        {
            activation.Address = winner ?? activation.Address;
            return true;
        }

        Log.DuplicateActivation(Runtime.Logger, activation.GrainId, winner.SiloAddress);
        Runtime.Locator.Learn(winner);
        return false;
    }

    private async Task ConstructAsync()
    {
        _scope = Runtime.Services.CreateAsyncScope();
        Services.GetRequiredService<GrainContextHolder>().Context = activation;
        var states = activation.Class.CreateStates(activation);
        Instance = activation.Class.CreateInstance(Services, states);
        foreach (var state in states)
        {
            await state.ReadStateAsync();
        }
    }

    private Exception Explain(Exception exception)
    {
        if (exception is SiloUnavailableException)
        {
            return exception;
        }

        if (exception is OperationCanceledException && _bringUp.IsCancellationRequested)
        {
            return new SiloUnavailableException($"the silo stopped while {activation.GrainId} was activated", exception);
        }

        Log.ActivationFailed(Runtime.Logger, activation.GrainId, exception);
        Runtime.Metrics.ActivationFailed(activation.Class);
        return exception;
    }

    private async Task BringDownAsync(Ending ending)
    {
        using var limit = new CancellationTokenSource(Runtime.Options.DeactivationTimeout, Runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ending.Token);
        try
        {
            await Instance!.OnDeactivateAsync(ending.Reason, either.Token);
        }
#pragma warning disable CA1031 // The activation ends all the same.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.DeactivationFailed(Runtime.Logger, activation.GrainId, ending.Reason.ReasonCode, exception);
            Runtime.Metrics.DeactivationFailed(activation.Class);
        }

        Log.Deactivated(Runtime.Logger, activation.GrainId, ending.Reason.ReasonCode, ending.Reason.Description);
        await EndAsync(null);
    }

    private async Task EndAsync(Exception? failure)
    {
        activation.Timers.Dispose();
        await AttemptAsync(DisposeInstanceAsync);
        await AttemptAsync(DisposeScopeAsync);
        await AttemptAsync(() => Runtime.Directory.Unregister(activation.Address));
        Instance = null;
        _scope = null;
        Runtime.Catalog.Remove(activation);
        activation.BecomeEnded(failure);
    }

    private async Task AttemptAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
#pragma warning disable CA1031 // The remaining steps of the end must run.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.ReleaseFailed(Runtime.Logger, activation.GrainId, exception);
            Runtime.Metrics.DeactivationFailed(activation.Class);
        }
    }

    private async Task DisposeInstanceAsync()
    {
        if (Instance is IAsyncDisposable asyncDisposable)
        {
            await asyncDisposable.DisposeAsync();
        }
        else if (Instance is IDisposable disposable)
        {
            disposable.Dispose();
        }
    }

    private async Task DisposeScopeAsync()
    {
        if (_scope is { } scope)
        {
            await scope.DisposeAsync();
        }
    }
}
