using System.Runtime.InteropServices;

namespace Cluster.Grains.Repository.Files;

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
