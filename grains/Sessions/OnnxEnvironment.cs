using Cluster.Grains.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>
/// ONNX Runtime's process-wide environment, with its messages sent to our log. Created once, before the first session; there is one
/// a process, so a second instance shares the first one's log.
/// </summary>
public sealed class OnnxEnvironment
{
    private static readonly Lock Gate = new();

    /// <summary>Native code calls this for as long as the process lives, so it must never be collected.</summary>
    private static DOrtLoggingFunction? _logging;

    public OnnxEnvironment(MemoryOptions memory, ILogger<OnnxEnvironment> logger)
    {
        lock (Gate)
        {
            if (_logging is null)
            {
                _logging = (_, severity, category, id, location, message) => Write(logger, severity, id, location, message);
                var options = new EnvironmentCreationOptions
                {
                    logId = "cluster",
                    logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
                    loggingFunction = _logging,
                };
                OnnxTelemetry.Disable();
                OrtEnv.CreateInstanceWithOptions(ref options);
                OrtEnv.Instance().DisableTelemetryEvents();
                OnnxAllocator.Register(OrtEnv.Instance());
                OnnxAllocator.Pool.Limit = memory.Limit();
            }
        }

        Providers = [.. OrtEnv.Instance().GetAvailableProviders()];
        Version = OrtEnv.Instance().GetVersionString();
    }

    /// <summary>Execution providers in this build of ONNX Runtime, by its own names.</summary>
    public IReadOnlyList<string> Providers { get; }

    /// <summary>ONNX Runtime's version.</summary>
    public string Version { get; }

    private static void Write(ILogger logger, OrtLoggingLevel severity, string session, string location, string message)
    {
        if (severity >= OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR)
        {
            Log.OnnxRuntimeError(logger, session, location, message);
        }
        else
        {
            Log.OnnxRuntimeMessage(logger, session, location, message);
        }
    }
}
