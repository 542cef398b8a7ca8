using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Security;

namespace Cluster.Gateway.ModelMesh;

/// <summary>
/// Bounds how many models a client may have registered: those of the cluster that were registered, and whose names it may change. Who may change a name may unregister it, so that none is kept from
/// its quota by models that it cannot remove. A gateway counts what it is about to register; two gateways at the same moment may each take one more. Thread-safe.
/// </summary>
internal sealed class RegistrationQuota(IServingStates states, AccessOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _underWay = new(StringComparer.Ordinal);

    /// <summary>Takes a place for a model that is about to be registered; to be disposed once it is, or is not.</summary>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED, without a hint: another one must go first.</exception>
    public Place Take(Caller caller, string model)
    {
        lock (_lock)
        {
            if (caller.RegisteredModels(options.RegisteredModels) is { } most && !IsRegistered(model) && Count(caller, model) >= most)
            {
                throw new ServingException(new Failure(StatusCode.ResourceExhausted, string.Create(
                    CultureInfo.InvariantCulture, $"of the models that client '{caller.Name}' may change {most} are registered, as many as may be; unregister one to register another")));
            }

            _underWay[model] = _underWay.GetValueOrDefault(model) + 1;
            return new Place(this, model);
        }
    }

    private bool IsRegistered(string model) => states.TryGet(model, out var state) && state.Origin == RegistrationOrigin.Registered;

    private int Count(Caller caller, string model) =>
        states.All.Count(state => state.Origin == RegistrationOrigin.Registered && caller.May(Permission.Manage, state.Name))
        + _underWay.Keys.Count(other => other != model && !IsRegistered(other) && caller.May(Permission.Manage, other));

    private void Leave(string model)
    {
        lock (_lock)
        {
            if (--_underWay[model] == 0)
            {
                _underWay.Remove(model);
            }
        }
    }

    internal readonly struct Place(RegistrationQuota quota, string model) : IDisposable
    {
        public void Dispose() => quota.Leave(model);
    }
}
