using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Cluster.Tests.Common;

namespace Cluster.ClusterTests.Support;

/// <summary>
/// The program of the version before: what <c>PREVIOUS_PROGRAM</c> names, the <c>cluster-silo</c> of another build. Without it a copy of this build's that
/// says it were older, which shows the steps of an update but no difference of code.
/// </summary>
internal sealed class PreviousProgram : IDisposable
{
    private const string Library = "cluster-silo.dll";

    /// <summary>Of an assembly's row, before its version: the algorithm of hashes.</summary>
    private const int BeforeVersion = 4;

    private readonly DirectoryInfo? _copy;

    private PreviousProgram(string path, DirectoryInfo? copy)
    {
        Path = path;
        _copy = copy;
    }

    public string Path { get; }

    public static PreviousProgram Find() =>
        Environment.GetEnvironmentVariable("PREVIOUS_PROGRAM") is { Length: > 0 } given ? new PreviousProgram(given, copy: null) : Disguise();

    public void Dispose() => _copy?.Delete(recursive: true);

    private static PreviousProgram Disguise()
    {
        var copy = Directory.CreateTempSubdirectory("cluster-previous-");
        var folder = System.IO.Path.GetDirectoryName(ServerProcess.Program)!;
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            File.Copy(file, System.IO.Path.Combine(copy.FullName, System.IO.Path.GetFileName(file)));
        }

        var library = System.IO.Path.Combine(copy.FullName, Library);
        var version = AssemblyName.GetAssemblyName(library).Version!;
        var image = File.ReadAllBytes(library);
        var at = VersionOffset(image);
        Write(image.AsSpan(at), version.Minor > 0 ? new Version(version.Major, version.Minor - 1, version.Build, 0) : throw new NotSupportedException($"no version before {version}"));
        File.WriteAllBytes(library, image);
        return new PreviousProgram(System.IO.Path.Combine(copy.FullName, System.IO.Path.GetFileName(ServerProcess.Program)), copy);
    }

    private static int VersionOffset(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image));
        return file.PEHeaders.MetadataStartOffset + file.GetMetadataReader().GetTableMetadataOffset(TableIndex.Assembly) + BeforeVersion;
    }

    private static void Write(Span<byte> row, Version version)
    {
        foreach (var part in new[] { version.Major, version.Minor, version.Build, version.Revision })
        {
            BitConverter.TryWriteBytes(row, (ushort)part);
            row = row[sizeof(ushort)..];
        }
    }
}
