using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Models;
using Cluster.Grains.Trust;

namespace Cluster.Grains.Sessions;

/// <summary>What an optimized graph follows from: the content, how far it is optimized, ONNX Runtime's version, and the processor, whose instructions decide on layouts.</summary>
internal static class GraphKey
{
    /// <summary>Another one for files that were made in another way.</summary>
    private const string Form = "2 cpu";

    /// <summary>Names in /proc/cpuinfo that tell what a processor can do.</summary>
    private static readonly string[] Traits =
    [
        "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
        "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features", "isa",
    ];

    private static readonly Lazy<string?> Processor = new(static () =>
    {
        try
        {
            return Describe(File.ReadLines("/proc/cpuinfo"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    });

    /// <summary>64 hexadecimal digits; null where the system does not tell its processor.</summary>
    public static string? Of(VersionContent content, GraphOptimization optimization, string runtime) => Of(content, optimization, runtime, Processor.Value);

    /// <inheritdoc cref="Of(VersionContent, GraphOptimization, string)"/>
    /// <param name="processor">As <see cref="Describe"/> has it; null where the system does not tell.</param>
    internal static string? Of(VersionContent content, GraphOptimization optimization, string runtime, string? processor) => processor is null
        ? null
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Form}\n{runtime}\n{optimization}\n{processor}\n{Convert.ToHexString(content.Digest.Span)}")));

    /// <summary>The traits of the first processor.</summary>
    /// <param name="lines">Of /proc/cpuinfo.</param>
    /// <returns>Null where there are none.</returns>
    internal static string? Describe(IEnumerable<string> lines)
    {
        var traits = lines.TakeWhile(static line => line.Trim().Length > 0)
            .Where(static line => Traits.Contains(line.Split(':', 2)[0].Trim(), StringComparer.Ordinal))
            .ToList();
        return traits.Count == 0 ? null : $"{RuntimeInformation.ProcessArchitecture}\n{string.Join('\n', traits)}";
    }
}
