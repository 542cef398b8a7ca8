using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.ModelMesh;

/// <summary>Event ids 3200 to 3219.</summary>
internal static partial class Log
{
    [LoggerMessage(3200, LogLevel.Warning, "The load of {Model} that a client asked for and did not wait for was not carried out")]
    public static partial void LoadNotCarriedOut(ILogger logger, Exception exception, string model);
}
