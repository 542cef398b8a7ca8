using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.OpenVino;

/// <summary>OpenVINO as this process has it, for good. Safe from any thread.</summary>
internal sealed class OpenVinoRuntime
{
    private const string Registration = "openvino";
    private const string ProviderName = "OpenVINOExecutionProvider";
    private const string DeviceKey = "ov_device";

    private readonly ImmutableDictionary<string, OrtEpDevice> _plugged;

    private OpenVinoRuntime(OpenVinoKind kind, string version, ImmutableSortedSet<string> devices, ImmutableDictionary<string, OrtEpDevice> plugged)
    {
        Kind = kind;
        Version = version;
        Devices = devices;
        _plugged = plugged;
    }

    public OpenVinoKind Kind { get; }

    /// <summary>OpenVINO's version.</summary>
    public string Version { get; }

    /// <summary>Kinds of devices: <c>CPU</c>, <c>GPU</c>, <c>NPU</c>, <c>AUTO</c>.</summary>
    public ImmutableSortedSet<string> Devices { get; }

    /// <summary>Takes up what a folder holds, before ONNX Runtime is first called. Its <see cref="Complete"/> follows once the environment is there.</summary>
    /// <exception cref="OpenVinoException">It cannot be used.</exception>
    public static OpenVinoFolder Prepare(string path)
    {
        var folder = OpenVinoFolder.Read(path);
        if (folder.Kind == OpenVinoKind.BuiltIn)
        {
            OpenVinoLibraries.UseBuiltIn(folder);
        }

        return folder;
    }

    /// <param name="takeReason">What ONNX Runtime logged of its last failure: its exceptions say less.</param>
    /// <exception cref="OpenVinoException">It offers no device, or runs no graph.</exception>
    public static OpenVinoRuntime Complete(OpenVinoFolder folder, OrtEnv environment, Func<string?> takeReason)
    {
        var version = OpenVinoLibraries.Version(folder);
        var runtime = folder.Kind == OpenVinoKind.BuiltIn ? BuiltIn(folder, version) : Plugin(folder, version, environment);
        runtime.Try(folder, environment, takeReason);
        return runtime;
    }

    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses; the reason may be in its log alone.</exception>
    public void AppendTo(SessionOptions session, string device, Dictionary<string, string> options)
    {
        if (Kind == OpenVinoKind.BuiltIn)
        {
            session.AppendExecutionProvider("OpenVINO", options);
            return;
        }

        // The device is the one that is handed over; the plugin does not take it by name.
        options.Remove("device_type");
        session.AppendExecutionProvider(OrtEnv.Instance(), [_plugged[device]], options);
    }

    /// <summary>Whether the silo has what a model names: a kind of device, or with the plugin that very device.</summary>
    public bool Has(string device, string kind) => Kind == OpenVinoKind.BuiltIn ? Devices.Contains(kind) : _plugged.ContainsKey(device);

    private void Try(OpenVinoFolder folder, OrtEnv environment, Func<string?> takeReason)
    {
        // Other devices may be absent while their libraries are there.
        if (!Has(ProviderSettings.Cpu, ProviderSettings.Cpu))
        {
            return;
        }

        try
        {
            OpenVinoTrial.Run(session => AppendTo(session, ProviderSettings.Cpu, OpenVinoSettings.Provider(ProviderSettings.Default, 1, 1, cache: null)));
        }
        catch (OnnxRuntimeException exception)
        {
            var reason = takeReason() ?? exception.Message;
            var wheel = Kind == OpenVinoKind.BuiltIn ? OpenVinoFolder.BuiltInWheel : OpenVinoFolder.PluginWheel;
            throw new OpenVinoException(
                OpenVinoLibraries.MissingOrNull(folder.Library, reason)
                    ?? $"--openvino '{folder.Path}': ONNX Runtime {environment.GetVersionString()} runs no graph on OpenVINO {Version}: {reason.ReplaceLineEndings(" ").TrimEnd()}; unpack the wheel {wheel} again",
                exception);
        }
    }

    private static OpenVinoRuntime BuiltIn(OpenVinoFolder folder, string version) =>
        folder.Devices() is { IsEmpty: false } devices
            ? new OpenVinoRuntime(folder.Kind, version, devices, ImmutableDictionary<string, OrtEpDevice>.Empty)
            : throw new OpenVinoException($"--openvino '{folder.Path}' lacks libopenvino_intel_cpu_plugin.so, which lies beside '{folder.Library}' in the wheel {OpenVinoFolder.BuiltInWheel}");

    private static OpenVinoRuntime Plugin(OpenVinoFolder folder, string version, OrtEnv environment)
    {
        try
        {
            environment.RegisterExecutionProviderLibrary(Registration, folder.Library);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new OpenVinoException(
                OpenVinoLibraries.MissingOrNull(folder.Library, exception.Message) ?? $"--openvino: ONNX Runtime {environment.GetVersionString()} does not take '{folder.Library}': {exception.Message}", exception);
        }

        var devices = environment.GetEpDevices()
            .Where(static device => device.EpName == ProviderName && device.EpMetadata.Entries.ContainsKey(DeviceKey))
            .GroupBy(static device => device.EpMetadata.Entries[DeviceKey], StringComparer.Ordinal)
            .ToImmutableDictionary(static device => device.Key, static device => device.First(), StringComparer.Ordinal);
        return devices.IsEmpty
            ? throw new OpenVinoException(
                $"--openvino '{folder.Path}' is the plugin, which offers no device on this processor: it is for Intel's; the wheel {OpenVinoFolder.BuiltInWheel} serves on every x86-64 processor")
            : new OpenVinoRuntime(folder.Kind, version, [.. devices.Keys.Select(static device => device.Split('.')[0])], devices);
    }
}

/// <summary>What <c>--openvino</c> names cannot be used: the process does not start. The message is a whole sentence for the operator.</summary>
public sealed class OpenVinoException : Exception
{
    public OpenVinoException(string message)
        : base(message)
    {
    }

    public OpenVinoException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
