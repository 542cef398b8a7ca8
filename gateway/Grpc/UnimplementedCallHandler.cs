using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Grpc;

/// <summary>Answers for a method that does not exist here.</summary>
internal sealed class UnimplementedCallHandler(GrpcServer server, string method, string? explanation) : GrpcCallHandler(server, method)
{
    protected override Task RunAsync(GrpcCallContext call, TimeSpan? timeout)
    {
        // The fallback serves every unknown path, so the path is the request's, not the route's.
        var path = call.HttpContext.Request.Path.Value;
        var message = explanation is null ? $"{path} is not implemented" : $"{path} is not implemented: {explanation}";
        GrpcResponse.SetFailure(call.HttpContext, new Failure(StatusCode.Unimplemented, message));
        return Task.CompletedTask;
    }
}
