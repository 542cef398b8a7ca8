using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>The base of grain classes. All of it runs in turns of one activation.</summary>
public abstract class Grain : IGrainBase, IAddressable
{
    /// <summary>Used while the runtime constructs the grain.</summary>
    protected Grain() => GrainContext = TurnQueue.CurrentActivation!;

    /// <summary>For tests, with a context of their own.</summary>
    protected Grain(IGrainContext grainContext) => GrainContext = grainContext;

    /// <summary>This activation. Null if the object was constructed outside of the runtime.</summary>
    public IGrainContext GrainContext { get; }

    /// <summary>The services of this activation: a scope of the silo's.</summary>
    protected internal IServiceProvider ServiceProvider => GrainContext.ActivationServices;

    /// <summary>Makes references to other grains.</summary>
    protected IGrainFactory GrainFactory =>
        GrainContext is Activation activation ? activation.Runtime : ServiceProvider.GetRequiredService<IGrainFactory>();

    /// <inheritdoc cref="IGrainBase.OnActivateAsync"/>
    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc cref="IGrainBase.OnDeactivateAsync"/>
    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Asks this activation to end after the requests that run now. Requests that wait go to the next activation.</summary>
    protected void DeactivateOnIdle() => GrainBaseExtensions.DeactivateOnIdle(this);

    /// <summary>
    /// Keeps this activation from being collected for being idle before that time has passed.
    /// <see cref="Timeout.InfiniteTimeSpan"/> or <see cref="TimeSpan.MaxValue"/>: for good. Zero or less: no delay any more.
    /// </summary>
    protected void DelayDeactivation(TimeSpan timeSpan) => Activation.Of(this).DelayDeactivation(timeSpan);
}
