using System.Runtime.InteropServices;
using Cluster.Contracts.Logging;
using Cluster.Grains.Memory;
using Cluster.Grains.OpenVino;
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

    private static OpenVinoRuntime? _openVino;

    [ThreadStatic]
    private static string? _lastError;

    /// <summary>Whether this thread tries OpenVINO: what fails then ends the start with a sentence of its own.</summary>
    [ThreadStatic]
    private static bool _isTrying;

    /// <param name="openVino">Counts for the first instance of the process alone; null is none.</param>
    /// <exception cref="OpenVinoException">OpenVINO is asked for and cannot be used.</exception>
    public OnnxEnvironment(MemoryOptions memory, TimeProvider time, ILogger<OnnxEnvironment> logger, OpenVinoOptions? openVino = null)
    {
        var limiter = new CauseLimiter(time);
        lock (Gate)
        {
            if (_logging is null)
            {
                var folder = openVino?.Folder is { } path ? OpenVinoRuntime.Prepare(path) : null;
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
                _openVino = folder is null ? null : Complete(folder);
            }
        }

        OpenVino = _openVino;
        Version = OrtEnv.Instance().GetVersionString();
    }

    /// <summary>ONNX Runtime's version.</summary>
    public string Version { get; }

    /// <summary>For people: "1.31.1", or "1.24.1 with OpenVINO 2025.4.1 on CPU".</summary>
    public string Versions => OpenVino is { } openVino ? $"{Version} with OpenVINO {openVino.Version} on {string.Join(", ", openVino.Devices)}" : Version;

    /// <summary>OpenVINO's version; null where the silo has none.</summary>
    public string? OpenVinoVersion => OpenVino?.Version;

    /// <summary>OpenVINO; null where the silo has none.</summary>
    internal OpenVinoRuntime? OpenVino { get; }

    /// <summary>What ONNX Runtime logged as an error on this thread since the last call: some of its exceptions say less.</summary>
    internal static string? TakeLastError()
    {
        var error = _lastError;
        _lastError = null;
        return error;
    }

    private static OpenVinoRuntime Complete(OpenVinoFolder folder)
    {
        _isTrying = true;
        try
        {
            return OpenVinoRuntime.Complete(folder, OrtEnv.Instance(), TakeLastError);
        }
        finally
        {
            _isTrying = false;
        }
    }

    private static void Write(ILogger logger, CauseLimiter limiter, OrtLoggingLevel severity, string session, string location, string message)
    {
        if (severity >= OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR)
        {
            _lastError = message.TrimEnd();
        }

        // A run that fails throws too, and is logged where that is caught.
        var isOwn = severity >= OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR && !_isTrying && !location.Contains(RunLocation, StringComparison.Ordinal);
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

/// <summary>
/// ONNX Runtime starts to gather data about its use before a program can call its <c>DisableTelemetryEvents</c>. Only a variable, by its own word, keeps it
/// from making an uploader, events and an identifier of the machine at all. 1.29 ran a shell for these, and died where there is none.
/// </summary>
internal static partial class OnnxTelemetry
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>Switches it off, unless the variable is set already. Before the native library is loaded.</summary>
    /// <exception cref="InvalidOperationException">The process has no memory for a variable more.</exception>
    public static void Disable()
    {
        // .NET keeps variables of its own, which native code does not see.
        if (SetVariable(Variable, "1", overwrite: 0) != 0)
        {
            throw new InvalidOperationException($"the variable {Variable} cannot be set: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
