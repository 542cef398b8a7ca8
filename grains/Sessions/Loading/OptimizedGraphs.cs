using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Models;
using Cluster.Contracts.Options;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>
/// Graphs as ONNX Runtime has optimized them, a file each in a folder of the silo's own, which processes may share. A file's name has its key and its checksum. A file
/// is there whole or not at all, and a damaged one is found and removed. Encrypted models have none. Safe from any thread.
/// </summary>
internal sealed class OptimizedGraphs(GraphCacheOptions options, TimeProvider time, ILogger<OptimizedGraphs> logger)
{
    private const string DefaultName = "cluster-graph-cache";
    private const string Ending = ".onnx";
    private const string Unfinished = ".new";

    /// <summary>Of the shortest number in a name, an XxHash128 or a GUID.</summary>
    private const int LeastDigits = 32;
    private const int Piece = 256 << 10;

    /// <summary>A file that is being written is no older.</summary>
    private static readonly TimeSpan LongestWriting = TimeSpan.FromHours(1);

    private readonly Lazy<string?> _folder = new(() => options.Folder ?? FindFolder());

    private long MaxBytes => (long)options.MaxMiB << 20;

    /// <summary>The key of a content; null where nothing is kept of it.</summary>
    /// <param name="runtime">ONNX Runtime's version.</param>
    public string? KeyOf(VersionContent content, SessionPlan plan, ModelSettings settings, string runtime) =>
        options.MaxMiB == 0 || content.IsSecret || plan.Provider != ExecutionProvider.Cpu || settings.GraphOptimization == GraphOptimization.Disable || _folder.Value is null
            ? null
            : GraphKey.Of(content, settings.GraphOptimization, runtime);

    /// <summary>Whether a session that took so long to open is worth a file of so many bytes.</summary>
    public bool IsWorth(TimeSpan opening, long bytes) => opening >= options.LeastOpening && bytes <= MaxBytes;

    /// <summary>The file of a graph that was kept, looked through from its first byte to its last; null where there is none.</summary>
    public string? Find(string key)
    {
        if (PathOf(key) is not { } path)
        {
            return null;
        }

        try
        {
            if (path.EndsWith($".{ChecksumOf(path, out _)}{Ending}", StringComparison.Ordinal))
            {
                File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
                return path;
            }

            Remove(path);
            Log.GraphIsDamaged(logger, path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process removed it meanwhile, or its time cannot be set: the load goes on without.
            Log.GraphNotRead(logger, path, exception.Message);
        }

        return null;
    }

    /// <summary>Removes a graph that ONNX Runtime does not take.</summary>
    public void Drop(string key, string reason)
    {
        if (PathOf(key) is { } path)
        {
            Remove(path);
            Log.GraphNotRead(logger, path, reason);
        }
    }

    /// <summary>Keeps what <paramref name="write"/> writes to the path that it is given.</summary>
    /// <param name="bytes">How large it will be, roughly.</param>
    /// <returns>Its bytes; null where it is there already.</returns>
    /// <exception cref="IOException">There is no room for it, or the folder is not the silo's own.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public long? Keep(string key, long bytes, Action<string> write)
    {
        var folder = _folder.Value!;
        OwnFolder.Make(folder);
        if (PathOf(key) is not null)
        {
            return null;
        }

        if (new DriveInfo(folder).AvailableFreeSpace is var free && free / 2 < bytes)
        {
            throw new IOException($"it has some {bytes} bytes, and its disk {free} left, of which it takes no more than half");
        }

        var unfinished = Path.Combine(folder, $"{Guid.NewGuid():N}{Unfinished}");
        try
        {
            write(unfinished);
            var checksum = ChecksumOf(unfinished, out var length);
            if (length > MaxBytes)
            {
                throw new IOException($"it has {length} bytes, and GraphCache:{nameof(options.MaxMiB)} allows {MaxBytes} for all");
            }

            if (PathOf(key) is not null)
            {
                // Another process was sooner.
                return null;
            }

            File.Move(unfinished, Path.Combine(folder, $"{key}.{checksum}{Ending}"), overwrite: true);
            Trim(folder);
            return length;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Removes what was used longest ago, until the rest fits, and what was never finished.</summary>
    private void Trim(string folder)
    {
        var now = time.GetUtcNow().UtcDateTime;
        foreach (var file in new DirectoryInfo(folder).GetFiles($"*{Unfinished}").Where(file => IsOwn(file.Name) && now - file.LastWriteTimeUtc > LongestWriting))
        {
            Remove(file.FullName);
        }

        var files = new DirectoryInfo(folder).GetFiles($"*{Ending}").Where(static file => IsOwn(file.Name)).OrderByDescending(static file => file.LastWriteTimeUtc).Select(static file => (file.FullName, file.Length));
        var kept = 0L;
        foreach (var (path, length) in files)
        {
            kept += length;
            if (kept > MaxBytes)
            {
                Remove(path);
            }
        }
    }

    /// <summary>Names that this class gives: digits of hexadecimal numbers before the ending. The folder may have files of others.</summary>
    private static bool IsOwn(string name) =>
        name.Split('.')[..^1].All(static part => part.Length >= LeastDigits && part.All(char.IsAsciiHexDigitLower));

    private string? PathOf(string key)
    {
        try
        {
            if (Directory.Exists(_folder.Value))
            {
                OwnFolder.Make(_folder.Value);
                return Directory.EnumerateFiles(_folder.Value, $"{key}.*{Ending}").FirstOrDefault();
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.GraphNotRead(logger, _folder.Value!, exception.Message);
        }

        return null;
    }

    private static string ChecksumOf(string path, out long length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            var hash = new XxHash128();
            length = 0;
            for (int read; (read = RandomAccess.Read(file, buffer.AsSpan(0, Piece), length)) > 0; length += read)
            {
                hash.Append(buffer.AsSpan(0, read));
            }

            return Convert.ToHexStringLower(hash.GetCurrentHash());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Another process may have removed it, and what cannot be removed only takes room.</summary>
    private void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.GraphNotRead(logger, path, exception.Message);
        }
    }

    /// <summary>Null where the temporary folder is in memory, which the files would take from the models.</summary>
    private static string? FindFolder()
    {
        var temporary = Path.GetTempPath();
        try
        {
            return OperatingSystem.IsLinux() && new DriveInfo(temporary).DriveFormat is "tmpfs" or "ramfs" ? null : Path.Combine(temporary, DefaultName);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // There is none. Loads need no cache.
            return null;
        }
    }
}

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

/// <summary>Optimized graphs that a silo keeps on its disk, so that the next load of the same content need not optimize it again.</summary>
[Section("GraphCache")]
public sealed class GraphCacheOptions
{
    /// <summary>Folder for the graphs, the silo's own. Default <c>cluster-graph-cache</c> in the system's temporary folder, unless that is in memory.</summary>
    [Text("a folder")]
    public string? Folder { get; set; }

    /// <summary>MiB that the graphs may take, 0 to 1,048,576. The longest unused go first. Default 4096. Less optimizes more often, 0 keeps none.</summary>
    [Range(0, 1_048_576)]
    public int MaxMiB { get; set; } = 4096;

    /// <summary>A session that opens in less than this is not worth a file, 0 to 1 h. Default 15 ms. Less keeps more files that save little.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LeastOpening { get; set; } = TimeSpan.FromMilliseconds(15);
}
