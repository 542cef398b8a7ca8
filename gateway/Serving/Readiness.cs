using Cluster.Contracts.Protocol;
using Grpc.HealthCheck;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Cluster.Gateway.Serving;

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
