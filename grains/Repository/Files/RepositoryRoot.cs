namespace Cluster.Grains.Repository.Files;

/// <summary>
/// A folder that everything under it must stay in. Tells a folder that was emptied from one whose file system went away: an
/// unmounted mount point is an empty folder on another device.
/// </summary>
internal sealed class RepositoryRoot(string path)
{
    private ulong? _device;

    public string Path => path;

    /// <summary>The root's real path and the names in it.</summary>
    /// <returns>Null if the root cannot be read; then <paramref name="problem"/> says why.</returns>
    public Opened? Open(out string? problem)
    {
        try
        {
            var real = RealPath.Resolve(path);
            if (FileStat.Read(real, followLinks: false) is not { Kind: FileKind.Directory } stat)
            {
                problem = $"there is no folder '{path}'";
                return null;
            }

            var names = Folder.Names(real);
            if (names.Count == 0 && _device is { } device && device != stat.Device)
            {
                problem = $"'{path}' is empty and on another file system than before; is it unmounted?";
                return null;
            }

            _device = stat.Device;
            problem = null;
            return new Opened(real, names);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            problem = $"'{path}' cannot be read: {IoReason.Of(exception)}";
            return null;
        }
    }

    /// <param name="RealPath">Absolute, without links.</param>
    /// <param name="Names">What is in it.</param>
    internal sealed record Opened(string RealPath, List<string> Names);
}
