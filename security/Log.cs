using Microsoft.Extensions.Logging;

namespace Cluster.Security;

/// <summary>Log messages of certificates and whom they are trusted by. Event ids 5000–5019.</summary>
internal static partial class Log
{
    [LoggerMessage(5000, LogLevel.Information, "Read changed files: {Files}")]
    public static partial void FilesTaken(ILogger logger, string files);

    [LoggerMessage(5001, LogLevel.Error, "Kept what was read before, as changed files ({Files}) cannot be used: {Reason}")]
    public static partial void FilesRefused(ILogger logger, string files, string reason);
}
