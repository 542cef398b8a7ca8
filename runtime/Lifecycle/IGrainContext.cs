namespace Cluster.Runtime;

/// <summary>One activation as the runtime sees it. Its members may be used from any thread.</summary>
public interface IGrainContext
{
    /// <summary>A reference to the grain, of no particular interface.</summary>
    GrainReference GrainReference { get; }

    /// <summary>The grain's identity.</summary>
    GrainId GrainId { get; }

    /// <summary>This activation's identity.</summary>
    ActivationId ActivationId { get; }

    /// <summary>This activation's entry in the directory.</summary>
    GrainAddress Address { get; }

    /// <summary>The grain object; null before it is constructed and once the activation has ended.</summary>
    object? GrainInstance { get; }

    /// <summary>The services of this activation: a scope of the silo's.</summary>
    IServiceProvider ActivationServices { get; }

    /// <summary>Completes when the activation has ended and everything it held is released. Never fails.</summary>
    Task Deactivated { get; }

    /// <summary>
    /// Asks the activation to end after the requests that run now. The token bounds how long its
    /// <c>OnDeactivateAsync</c> is asked to take. The first reason counts.
    /// </summary>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);
}
