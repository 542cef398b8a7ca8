using System.Globalization;

namespace Cluster.Tests.Common;

/// <summary>What another process holds, as Linux tells it.</summary>
/// <param name="ResidentBytes">Resident memory.</param>
/// <param name="Handles">Open descriptors: files, sockets and the runtime's own.</param>
public sealed record ProcessVitals(long ResidentBytes, int Handles)
{
    public double ResidentMiB => ResidentBytes / 1048576.0;

    /// <param name="id">Of a process that runs.</param>
    public static ProcessVitals Of(int id)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{id}");
        var line = File.ReadLines(folder + "/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        var kilobytes = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        return new ProcessVitals(kilobytes << 10, Directory.GetFileSystemEntries(folder + "/fd").Length);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ResidentMiB:0} MiB resident, {Handles} descriptors");
}
