using Cluster.Contracts.Logging;
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
    /// <summary>Where ONNX Runtime says that a node of a run has failed.</summary>
    private const string RunLocation = "sequential_executor.cc";

    private static readonly Lock Gate = new();

    /// <summary>Native code calls this for as long as the process lives, so it must never be collected.</summary>
    private static DOrtLoggingFunction? _logging;

    public OnnxEnvironment(MemoryOptions memory, TimeProvider time, ILogger<OnnxEnvironment> logger)
    {
        var limiter = new CauseLimiter(time);
        lock (Gate)
        {
            if (_logging is null)
            {
                _logging = (_, severity, category, id, location, message) => Write(logger, limiter, severity, id, location, message);
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
                OnnxAllocator.Pool.HasLeft = new ProcessMemory(memory.Available).HasLeft;
            }
        }

        Providers = [.. OrtEnv.Instance().GetAvailableProviders()];
        Version = OrtEnv.Instance().GetVersionString();
    }

    /// <summary>Execution providers in this build of ONNX Runtime, by its own names.</summary>
    public IReadOnlyList<string> Providers { get; }

    /// <summary>ONNX Runtime's version.</summary>
    public string Version { get; }

    private static void Write(ILogger logger, CauseLimiter limiter, OrtLoggingLevel severity, string session, string location, string message)
    {
        // A run that fails throws too, and is logged where that is caught.
        var isOwn = severity >= OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR && !location.Contains(RunLocation, StringComparison.Ordinal);
        if (isOwn && limiter.TryPass($"{session} {location}", out var heldBack))
        {
            Log.OnnxRuntimeError(logger, session, location, heldBack, message.TrimEnd());
        }
        else
        {
            Log.OnnxRuntimeMessage(logger, session, location, message);
        }
    }
}
