using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// A reference to a grain, wherever it is. The generator derives a proxy per grain interface. References to one grain are
/// equal, whatever their interface.
/// </summary>
public class GrainReference : IAddressable, IEquatable<GrainReference>
{
    // The last activation that took a call from here; it may have ended since, which it then says itself.
    private Activation? _activation;

    /// <summary>For generated proxies.</summary>
    protected internal GrainReference(GrainReferenceSeed seed)
    {
        Runtime = seed.Runtime;
        GrainId = seed.GrainId;
    }

    /// <summary>The grain.</summary>
    public GrainId GrainId { get; }

    internal ActorRuntime Runtime { get; }

    /// <summary>Makes a call of a method that takes no token.</summary>
    protected ValueTask<T> Send<T>(ResultCall<T> call)
    {
        call.Bind(this);
        Deliver(call);
        return call.Result;
    }

    /// <summary>Makes a call of a method that takes a token.</summary>
    protected ValueTask<T> Send<T>(ResultCall<T> call, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        call.Bind(this, cancellationToken);
        Deliver(call);
        return call.Result;
    }

    /// <summary>Makes a call of a method that takes no token.</summary>
    protected ValueTask Send(VoidCall call)
    {
        call.Bind(this);
        Deliver(call);
        return call.Result;
    }

    /// <summary>Makes a call of a method that takes a token.</summary>
    protected ValueTask Send(VoidCall call, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        call.Bind(this, cancellationToken);
        Deliver(call);
        return call.Result;
    }

    private void Deliver(GrainCall call)
    {
        var activation = _activation;
        if (activation is null || activation.HasEnded)
        {
            _activation = activation = Runtime.Catalog.Find(GrainId);
        }

        if (activation is null)
        {
            call.Park();
            Runtime.Router.Route(call);
        }
        else if (!activation.TryRunInline(call))
        {
            call.Park();
            activation.Receive(call);
        }
    }

    public bool Equals(GrainReference? other) => other is not null && GrainId == other.GrainId;

    public override bool Equals(object? obj) => Equals(obj as GrainReference);

    public override int GetHashCode() => GrainId.GetHashCode();

    public override string ToString() => $"GrainReference:{GrainId}";
}
