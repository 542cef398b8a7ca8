using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Trust;

/// <summary>Event ids 2180 to 2189.</summary>
internal static partial class Log
{
    [LoggerMessage(2180, LogLevel.Warning, "Could not read the keys of {File}, and kept the former ones: {Reason}")]
    public static partial void KeysStay(ILogger logger, string file, string reason);

    [LoggerMessage(2189, LogLevel.Error, "A signed version was not loaded, as the ledger {File} could not be used: {Reason}")]
    public static partial void LedgerFailed(ILogger logger, string file, string reason);
}
