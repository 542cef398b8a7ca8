using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Health;
using Microsoft.Extensions.Primitives;
using ServingStatus = Cluster.Contracts.Protocol.Health.HealthCheckResponse.Types.ServingStatus;

namespace Cluster.Gateway.Grpc.Health;

/// <summary><c>grpc.health.v1.Health</c>.</summary>
internal sealed class HealthService(IServingStatus status, CancellationToken stopping)
{
    public ValueTask<HealthCheckResponse> CheckAsync(GrpcCallContext call, HealthCheckRequest request)
    {
        var current = StatusOf(request.Service);
        return current == ServingStatus.ServiceUnknown
            ? throw new ServingException(Failure.NotFound($"unknown service '{request.Service}'"))
            : ValueTask.FromResult(new HealthCheckResponse { Status = current });
    }

    public ValueTask WatchAsync(GrpcCallContext call, HealthCheckRequest request, GrpcStreamWriter<HealthCheckResponse> responses) =>
        ServerStop.EndWithAsync(call, async cancellation =>
        {
            ServingStatus? sent = null;
            while (true)
            {
                var change = status.GetChangeToken();
                var current = StatusOf(request.Service);
                if (current != sent)
                {
                    await responses.WriteAsync(new HealthCheckResponse { Status = current }).ConfigureAwait(false);
                    sent = current;
                }

                await WaitAsync(change, cancellation).ConfigureAwait(false);
            }
        }, stopping);

    private static async Task WaitAsync(IChangeToken change, CancellationToken cancellation)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = change.RegisterChangeCallback(static state => ((TaskCompletionSource)state!).TrySetResult(), changed);
        await changed.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    private ServingStatus StatusOf(string service) => status.IsServing(service) switch
    {
        true => ServingStatus.Serving,
        false => ServingStatus.NotServing,
        null => ServingStatus.ServiceUnknown,
    };
}
