using System.Globalization;

namespace Cluster.Tests.Common;

/// <summary>What another process holds, as Linux tells it.</summary>
/// <param name="ResidentBytes">Resident memory.</param>
/// <param name="Handles">Open descriptors: files, sockets and the runtime's own.</param>
/// <param name="Threads">Of the operating system.</param>
public sealed record ProcessVitals(long ResidentBytes, int Handles, int Threads)
{
    public double ResidentMiB => ResidentBytes / 1048576.0;

    /// <param name="id">Of a process that runs.</param>
    public static ProcessVitals Of(int id)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{id}");
        var lines = File.ReadAllLines(folder + "/status");
        return new ProcessVitals(Field(lines, "VmRSS:") << 10, Directory.GetFileSystemEntries(folder + "/fd").Length, (int)Field(lines, "Threads:"));
    }

    private static long Field(string[] lines, string name) => long.Parse(
        lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ResidentMiB:0} MiB resident, {Handles} descriptors, {Threads} threads");
}
