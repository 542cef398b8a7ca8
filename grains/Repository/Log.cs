using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Repository;

/// <summary>Event ids 2000 to 2049.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Warning, "Model repository: {Problem}")]
    public static partial void RepositoryProblem(ILogger logger, string problem);

    [LoggerMessage(2001, LogLevel.Warning, "Model repository: {Message}")]
    public static partial void Warning(ILogger logger, string message);

    [LoggerMessage(2002, LogLevel.Warning, "Model {Model}: {Problem}")]
    public static partial void ModelProblem(ILogger logger, string model, string problem);

    [LoggerMessage(2003, LogLevel.Warning, "Model {Model} version {Version}: {Problem}")]
    public static partial void VersionProblem(ILogger logger, string model, long version, string problem);

    [LoggerMessage(2004, LogLevel.Information, "Model repository: no longer (model {Model}, version {Version}): {Problem}")]
    public static partial void Resolved(ILogger logger, string model, long version, string problem);

    [LoggerMessage(2006, LogLevel.Warning, "Did not hear from silo {Silo} what its model repository holds: {Reason}")]
    public static partial void RepositoryNotAsked(ILogger logger, string silo, string reason);

    [LoggerMessage(2005, LogLevel.Information, "Model repository: {Models} models with {Versions} versions")]
    public static partial void FirstScan(ILogger logger, int models, int versions);
}
