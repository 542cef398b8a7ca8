using System.Collections.Concurrent;
using Google.Protobuf.Reflection;

namespace Cluster.Gateway.Grpc;

/// <summary>The services that were mapped; what reflection shows.</summary>
internal sealed class GrpcServiceRegistry
{
    private readonly ConcurrentDictionary<string, ServiceDescriptor> _services = new(StringComparer.Ordinal);

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<ServiceDescriptor> Services => [.. _services.Values.OrderBy(service => service.FullName, StringComparer.Ordinal)];

    public void Add(ServiceDescriptor service)
    {
        if (!_services.TryAdd(service.FullName, service))
        {
            throw new InvalidOperationException($"gRPC service {service.FullName} is mapped twice.");
        }
    }
}
