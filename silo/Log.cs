using Microsoft.Extensions.Logging;

namespace Cluster.Silo;

/// <summary>Log messages of the silo process. Event ids 4000–4099.</summary>
internal static partial class Log
{
    [LoggerMessage(4000, LogLevel.Information, "Ready: the repository's {Count} models have been tried")]
    public static partial void Ready(ILogger logger, int count);

    [LoggerMessage(4001, LogLevel.Error, "Could not change {Model}")]
    public static partial void ChangeFailed(ILogger logger, Exception exception, string model);

    [LoggerMessage(4017, LogLevel.Warning, "Changing {Model} was lost with a silo and is tried again: {Reason}")]
    public static partial void ChangeLost(ILogger logger, string model, string reason);

    [LoggerMessage(4003, LogLevel.Error, "Could not read the repository; loaded models serve on")]
    public static partial void ScanFailed(ILogger logger, Exception exception);

    [LoggerMessage(4004, LogLevel.Warning, "Did not serve a model of the repository: {Reason}")]
    public static partial void NameTaken(ILogger logger, string reason);

    [LoggerMessage(4005, LogLevel.Information, "Silo {Silo} of cluster '{ClusterId}' over Redis {Redis}: metrics and health on {Http}, ONNX Runtime {OnnxRuntime}, {Capacity} for models, models from {Models}")]
    public static partial void ServingAsSilo(
        ILogger logger, SiloAddress silo, string clusterId, string redis, string http, string onnxRuntime, string capacity, string models);

    [LoggerMessage(4006, LogLevel.Information, "Gateway serving REST on {Http} and gRPC on {Grpc} for cluster '{ClusterId}' over Redis {Redis}")]
    public static partial void ServingAsGateway(ILogger logger, string http, string grpc, string clusterId, string redis);

    [LoggerMessage(4008, LogLevel.Information, "Began to read the model repository for the cluster")]
    public static partial void Leads(ILogger logger);

    [LoggerMessage(4010, LogLevel.Warning, "The model repository of this silo disagrees with the cluster's: {Problem}")]
    public static partial void RepositoryDisagrees(ILogger logger, string problem);

    [LoggerMessage(4011, LogLevel.Information, "The model repository of this silo agrees with the cluster's again")]
    public static partial void RepositoryAgrees(ILogger logger);

    [LoggerMessage(4012, LogLevel.Warning, "Held back changes of the model repository on which the silos disagree: {Models}")]
    public static partial void HeldBack(ILogger logger, string models);

    [LoggerMessage(4013, LogLevel.Debug, "The repository was not compared with the controller's: {Reason}")]
    public static partial void NotCompared(ILogger logger, string reason);

    [LoggerMessage(4014, LogLevel.Debug, "Did not change {Model}: the process ends")]
    public static partial void ProcessEnds(ILogger logger, string model);

    [LoggerMessage(4015, LogLevel.Information, "Orleans' dashboard is on http://127.0.0.1:{Port}/")]
    public static partial void DashboardListens(ILogger logger, int port);

    [LoggerMessage(4016, LogLevel.Warning, "This process may listen beyond loopback without TLS or identity (--insecure): machines that reach its ports are inside")]
    public static partial void Insecure(ILogger logger);

    [LoggerMessage(4009, LogLevel.Debug, "Read the options of {Section}: {Values}")]
    public static partial void Effective(ILogger logger, string section, string values);

    [LoggerMessage(4018, LogLevel.Error, "Ended this process {Seconds:0.#} s after its stop began, amid runs of {Models}")]
    public static partial void EndedAmidRuns(ILogger logger, double seconds, string models);

    [LoggerMessage(4019, LogLevel.Error, "Ended this process {Seconds:0.#} s after its stop began: not all of its parts had stopped")]
    public static partial void EndedAmidStop(ILogger logger, double seconds);

    [LoggerMessage(4002, LogLevel.Information, "Serving REST on {Http} and gRPC on {Grpc}, ONNX Runtime {OnnxRuntime}, {Capacity} for models, models from {Models}")]
    public static partial void Serving(ILogger logger, string http, string grpc, string onnxRuntime, string capacity, string models);
}
