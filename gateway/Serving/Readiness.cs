using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Grpc.Health;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.Serving;

/// <summary>Tells gRPC health probes what <see cref="IServingApi.IsReady"/> tells the others.</summary>
internal sealed class Readiness : IServingStatus, IDisposable
{
    private readonly ServingStatusBoard _board = new();
    private readonly IServingApi _api;
    private readonly IServingStates _states;
    private readonly CancellationTokenRegistration _stopping;

    public Readiness(IServingApi api, IServingStates states, IHostApplicationLifetime lifetime)
    {
        _api = api;
        _states = states;
        states.InitialLoadCompleted += Publish;
        _stopping = lifetime.ApplicationStopping.Register(Publish);
        Publish();
    }

    /// <inheritdoc/>
    public bool? IsServing(string service) => _board.IsServing(service);

    /// <inheritdoc/>
    public IChangeToken GetChangeToken() => _board.GetChangeToken();

    public void Dispose()
    {
        _states.InitialLoadCompleted -= Publish;
        _stopping.Dispose();
    }

    private void Publish()
    {
        _board.Set("", _api.IsReady);
        _board.Set(InferenceReflection.Descriptor.Services[0].FullName, _api.IsReady);
    }
}
