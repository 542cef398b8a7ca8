using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Hosting;
using Grpc.HealthCheck;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Cluster.Gateway.Serving;

/// <summary>
/// Whether load balancers should send requests here. Every model of the first repository scan has been tried, enough models answer, and neither a stop nor the
/// drain before it has begun.
/// </summary>
internal sealed class ServerReadiness : IDisposable
{
    private readonly IServingStates _states;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly int _leastModels;
    private readonly CancellationTokenRegistration _stopping;
    private volatile bool _drains;

    public ServerReadiness(IServingStates states, IHostApplicationLifetime lifetime, GatewayOptions options)
    {
        _states = states;
        _lifetime = lifetime;
        _leastModels = options.MinReadyModels;
        _stopping = lifetime.ApplicationStopping.Register(Tell);
        states.InitialLoadCompleted += Tell;
        if (_leastModels > 0)
        {
            states.Changed += TellOfModel;
        }
    }

    /// <summary>Called when <see cref="IsReady"/> may have changed.</summary>
    public event Action? Changed;

    public bool IsReady =>
        _states.InitialLoadFinished && !_drains && !_lifetime.ApplicationStopping.IsCancellationRequested && _states.HasReady(_leastModels);

    /// <summary>From now on it is not, though requests are answered still.</summary>
    public void BeginDrain()
    {
        _drains = true;
        Tell();
    }

    public void Dispose()
    {
        _states.InitialLoadCompleted -= Tell;
        _states.Changed -= TellOfModel;
        _stopping.Dispose();
    }

    private void Tell() => Changed?.Invoke();

    private void TellOfModel(string model) => Tell();
}

/// <summary>Tells gRPC health probes, and those who watch, what <see cref="IServingApi.IsReady"/> tells the others.</summary>
internal sealed class Readiness(HealthServiceImpl health, ServerReadiness server) : IDisposable
{
    private readonly Lock _lock = new();

    /// <summary>To be called once.</summary>
    public void Follow()
    {
        server.Changed += Publish;
        Publish();
    }

    public void Dispose() => server.Changed -= Publish;

    /// <summary>One after the other, so that listeners get the latest state last.</summary>
    private void Publish()
    {
        lock (_lock)
        {
            var status = server.IsReady ? ServingStatus.Serving : ServingStatus.NotServing;
            health.SetStatus("", status);
            health.SetStatus(InferenceReflection.Descriptor.Services[0].FullName, status);
        }
    }
}
