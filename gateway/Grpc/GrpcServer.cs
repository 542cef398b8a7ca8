using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Grpc;

/// <summary>What all calls of a process share.</summary>
internal sealed class GrpcServer
{
    public GrpcServer(IOptions<GrpcServerOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        Options = options.Value;
        Time = time;
        Logger = loggers.CreateLogger("Cluster.Gateway.Grpc");
        Lifetimes = new CallLifetimePool(time, Logger);
    }

    public GrpcServerOptions Options { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public CallLifetimePool Lifetimes { get; }
}
