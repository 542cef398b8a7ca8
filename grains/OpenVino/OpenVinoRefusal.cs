using System.Text.RegularExpressions;

namespace Cluster.Grains.OpenVino;

/// <summary>The text for clients about a graph that OpenVINO does not take.</summary>
internal static partial class OpenVinoRefusal
{
    /// <summary>In ONNX Runtime's text where a part of the graph is left to the CPU provider.</summary>
    private const string NotWhole = "fallback to CPU EP has been explicitly disabled";

    /// <param name="reason">As clients may see it: without places in code, which leave gaps in OpenVINO's sentences.</param>
    public static string Describe(string reason) => reason.Contains(NotWhole, StringComparison.OrdinalIgnoreCase)
        ? "OpenVINO takes only a part of the graph; provider_options.allow_cpu_nodes lets the rest run on the CPU provider, execution_provider 'cpu' or 'auto' the whole"
        : $"OpenVINO does not take the graph: {FailedAt().Replace(Gaps().Replace(reason, ""), "failed: ").ReplaceLineEndings(" ").Trim()}";

    [GeneratedRegex(@"Exception during initialization: |Exception from *: *\n?")]
    private static partial Regex Gaps();

    [GeneratedRegex(@"failed at *: *\n?")]
    private static partial Regex FailedAt();
}
