using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>What every connection of this process shares.</summary>
internal sealed record MessagingContext(
    ActorRuntime Runtime, MessagingOptions Options, ExceptionFormat Exceptions, MessagingMetrics Metrics, ILogger Logger)
{
    public TimeProvider Time => Runtime.Time;

    public SiloAddress Local => Runtime.Silo.SiloAddress;

    public PeerRole Role => Runtime.Silo is ClientDetails ? PeerRole.Client : PeerRole.Silo;
}
