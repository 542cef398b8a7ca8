using Microsoft.AspNetCore.Builder;

namespace Cluster.Gateway.Grpc;

/// <summary>Hands a convention to each of a service's methods.</summary>
internal sealed class GrpcConventionBuilder(IReadOnlyList<IEndpointConventionBuilder> methods) : IEndpointConventionBuilder
{
    public void Add(Action<EndpointBuilder> convention)
    {
        foreach (var method in methods)
        {
            method.Add(convention);
        }
    }

    public void Finally(Action<EndpointBuilder> finallyConvention)
    {
        foreach (var method in methods)
        {
            method.Finally(finallyConvention);
        }
    }
}
