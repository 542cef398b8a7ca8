using System.IO.Enumeration;
using System.Runtime.InteropServices;

namespace Cluster.Grains.Repository.Files;

/// <summary>What is in a folder.</summary>
internal static class Folder
{
    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        RecurseSubdirectories = false,
        ReturnSpecialDirectories = false,
    };

    /// <summary>The names in it, ordinal order, hidden ones too.</summary>
    public static List<string> Names(string path)
    {
        var names = new List<string>(
            new FileSystemEnumerable<string>(path, static (ref FileSystemEntry entry) => entry.FileName.ToString(), Everything));
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public static bool IsHidden(string name) => name.StartsWith('.');
}

/// <summary>Folders under names that are known, in places where other users may write: what lies there is used only where it is this user's alone.</summary>
internal static partial class OwnFolder
{
    private const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode OwnAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the folder where there is none.</summary>
    /// <exception cref="IOException">It cannot be made, is a link, is another user's, or others may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public static void Make(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            _ = Directory.CreateDirectory(folder);
            return;
        }

        var made = Directory.CreateDirectory(folder, OwnAlone);
        if (made.LinkTarget is not null || (made.UnixFileMode & Others) != 0 || (LinuxStat.IsAvailable && LinuxStat.OwnerOf(folder) != UserOfProcess()))
        {
            throw new IOException($"'{folder}' is a link or another user's, or others may write to it");
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint UserOfProcess();
}

/// <summary>The names in one folder, from look to look. To look at a folder costs five system calls, at its stat one: thousands of folders are looked at each second.</summary>
internal sealed class KnownFolder(TimeProvider clock)
{
    /// <summary>Looks after which the folder is read though its stat is the same: some file systems in user space never change a folder's times.</summary>
    private const int MostLooks = 10;

    private List<string> _names = [];
    private FileStat? _stat;
    private int _left;

    /// <summary>The names in it, ordinal order, hidden ones too.</summary>
    /// <param name="path">Real path of the folder.</param>
    /// <param name="stat">Of the folder, read just now.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    public List<string> Names(string path, FileStat stat)
    {
        if (stat == _stat && --_left > 0)
        {
            return _names;
        }

        // Folders that were read together are not read again together.
        _left = _stat is null ? 1 + (int)(stat.Inode % MostLooks) : MostLooks;
        _stat = null;
        _names = Folder.Names(path);

        // A fresh folder may change once more without a sign, and a platform that tells no change time may not tell any.
        _stat = stat.Changed == 0 || stat.IsFresh(clock.GetUtcNow()) ? null : stat;
        return _names;
    }

    /// <summary>Has the next look read the folder.</summary>
    public void Forget() => _stat = null;
}
