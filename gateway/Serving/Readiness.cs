using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Grpc.HealthCheck;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Cluster.Gateway.Serving;

/// <summary>Tells gRPC health probes, and those who watch, what <see cref="IServingApi.IsReady"/> tells the others.</summary>
internal sealed class Readiness(HealthServiceImpl health, IServingApi api, IServingStates states, IHostApplicationLifetime lifetime) : IDisposable
{
    private CancellationTokenRegistration _stopping;

    /// <summary>To be called once.</summary>
    public void Follow()
    {
        states.InitialLoadCompleted += Publish;
        _stopping = lifetime.ApplicationStopping.Register(Publish);
        Publish();
    }

    public void Dispose()
    {
        states.InitialLoadCompleted -= Publish;
        _stopping.Dispose();
    }

    private void Publish()
    {
        var status = api.IsReady ? ServingStatus.Serving : ServingStatus.NotServing;
        health.SetStatus("", status);
        health.SetStatus(InferenceReflection.Descriptor.Services[0].FullName, status);
    }
}
