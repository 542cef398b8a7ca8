using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Memory;
using Cluster.Grains.OpenVino;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>What a model's settings say to ONNX Runtime before it opens a session.</summary>
internal sealed class SessionPreparation(OnnxEnvironment environment)
{
    /// <summary>What the silo lacks of what a model names, or null.</summary>
    public string? NoOpenVino(ProviderSettings options) => environment.OpenVino switch
    {
        null => "this silo has no OpenVINO: it is started without --openvino",
        var found when !found.Has(options.Device, options.DeviceKind) => $"OpenVINO of this silo has no device '{options.Device}'; it has {string.Join(", ", found.Devices)}",
        _ => null,
    };

    public SessionOptions Options(string model, long version, ModelSettings settings, SessionPlan plan)
    {
        var options = new SessionOptions
        {
            LogId = string.Create(CultureInfo.InvariantCulture, $"{model}/{version}"),
            IntraOpNumThreads = plan.SessionThreads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = settings.GraphOptimization switch
            {
                GraphOptimization.Disable => GraphOptimizationLevel.ORT_DISABLE_ALL,
                GraphOptimization.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
                GraphOptimization.Extended => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
                _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
            },
        };

        options.ShareAllocator();

        // Threads that spin between operators take the processors that other models and the network need.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (plan.OpenVino is not null)
        {
            if (!settings.ProviderOptions.AllowCpuNodes)
            {
                options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
            }

            Append(options, settings.ProviderOptions.Device, plan.OpenVino);
        }

        return options;
    }

    /// <summary>Where ONNX Runtime's exception says only that it failed, its log has the reason.</summary>
    private void Append(SessionOptions session, string device, Dictionary<string, string> options)
    {
        _ = OnnxEnvironment.TakeLastError();
        try
        {
            environment.OpenVino!.AppendTo(session, device, options);
        }
        catch (OnnxRuntimeException exception)
        {
            session.Dispose();
            var reason = OnnxEnvironment.TakeLastError() ?? exception.Message;
            throw new ServingException(Failure.Unavailable(OpenVinoRefusal.Describe(ClientText.Of(reason)), LoadFailures.RetryAfter), exception);
        }
    }
}
