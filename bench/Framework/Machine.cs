using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Framework;

/// <summary>What the figures were measured on.</summary>
/// <param name="Cores">Processors that this process may use.</param>
/// <param name="LoadAverage">Of the minute before: what is well above 0 was busy with something else, and the figures show it.</param>
internal sealed record Machine(
    int Cores, string Processor, double MemoryGib, string System, string Runtime, string OnnxRuntime, double LoadAverage)
{
    public static Machine Read() => new(
        Environment.ProcessorCount,
        ProcField("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30), 1),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        OrtEnv.Instance().GetVersionString(),
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cores} × {Processor}, {MemoryGib} GiB, {System}, {Runtime}, ONNX Runtime {OnnxRuntime}; load average before: {LoadAverage:0.00}");

    private static string? ProcField(string file, string name) =>
        File.Exists(file)
            ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : null;
}
