namespace Cluster.Bench.Measurement;

/// <summary>Processor times since the meter was made.</summary>
/// <param name="serverProcesses">All that make up the server; empty where they are not known.</param>
internal sealed class CpuMeter(IReadOnlyCollection<int> serverProcesses)
{
    private readonly CpuTimes _start = CpuTimes.Read(serverProcesses);

    public CpuTimes Read() => CpuTimes.Read(serverProcesses) - _start;
}
