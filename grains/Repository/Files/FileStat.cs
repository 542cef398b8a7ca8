namespace Cluster.Grains.Repository.Files;

/// <summary>
/// What tells without reading it that a file is another one or has changed. The change time is set by the kernel alone, so that
/// content replaced by a copy that keeps size and modification time is noticed too.
/// </summary>
/// <param name="Kind">With links followed, never <see cref="FileKind.Link"/>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970; 0 where the platform does not tell.</param>
/// <param name="Inode">0 where the platform does not tell.</param>
/// <param name="Device">0 where the platform does not tell.</param>
internal readonly record struct FileStat(FileKind Kind, long Size, long Modified, long Changed, ulong Inode, ulong Device)
{
    /// <summary>Of the file itself, or of what a link finally leads to.</summary>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="IOException">It cannot be told.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder on the way may not be entered.</exception>
    public static FileStat? Read(string path, bool followLinks) =>
        LinuxStat.IsAvailable ? LinuxStat.Read(path, followLinks) : ReadPortable(path, followLinks);

    /// <summary>What .NET offers on every platform.</summary>
    internal static FileStat? ReadPortable(string path, bool followLinks)
    {
        FileSystemInfo info = new FileInfo(path);
        if (info.LinkTarget is not null)
        {
            if (!followLinks)
            {
                return new FileStat(FileKind.Link, 0, 0, 0, 0, 0);
            }

            info = new FileInfo(info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path);
        }

        if (Directory.Exists(info.FullName))
        {
            return new FileStat(FileKind.Directory, 0, 0, 0, 0, 0);
        }

        return info is FileInfo { Exists: true } file
            ? new FileStat(KindOf(file), file.Length, Nanoseconds(file.LastWriteTimeUtc), 0, 0, 0)
            : null;
    }

    /// <summary>
    /// Whether the file was touched so shortly before <paramref name="now"/> that a further write might carry the same time stamp. Kernels stamp with a resolution of up to 10 ms.
    /// </summary>
    public bool IsFresh(DateTimeOffset now) =>
        Math.Max(Modified, Changed) > Nanoseconds(now.UtcDateTime - TimeSpan.FromMilliseconds(50));

    private static FileKind KindOf(FileInfo file) =>
        (file.Attributes & FileAttributes.Device) != 0 ? FileKind.Other : FileKind.Regular;

    private static long Nanoseconds(DateTime utc) => (utc - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}

internal enum FileKind
{
    Regular,
    Directory,
    Link,

    /// <summary>A pipe, socket or device: opening one may block for ever.</summary>
    Other,
}
