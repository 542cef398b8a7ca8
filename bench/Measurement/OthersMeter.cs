using System.Diagnostics;

namespace Cluster.Bench.Measurement;

/// <summary>What processes other than this one and the server took of the machine since the meter was made.</summary>
internal sealed class OthersMeter(IReadOnlyCollection<int> serverProcesses)
{
    private readonly CpuTimes _start = CpuTimes.Read(serverProcesses);
    private readonly long _timestamp = Stopwatch.GetTimestamp();

    /// <summary>0 to 100, of all processors.</summary>
    public double Percent() => Math.Round(
        Math.Clamp(100 * ((CpuTimes.Read(serverProcesses) - _start).Others / Stopwatch.GetElapsedTime(_timestamp)) / Environment.ProcessorCount, 0, 100), 1);
}
