namespace Cluster.Silo.Trust;

/// <summary>Files that are written whole or not at all.</summary>
internal static class NewFile
{
    public const UnixFileMode OwnAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode Readable = OwnAlone | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>A file that was not there before.</summary>
    /// <exception cref="IOException">It is there.</exception>
    public static FileStream Create(string path, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        return File.Exists(path) ? throw new IOException($"'{path}' is there already, and nothing is overwritten") : new FileStream(path, options);
    }

    /// <param name="replace">Whether a file that is there may be replaced, in one step.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode, bool replace = false)
    {
        var target = replace ? $"{path}.new" : path;
        if (replace)
        {
            File.Delete(target);
        }

        using (var file = Create(target, mode))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        if (replace)
        {
            File.Move(target, path, overwrite: true);
        }
    }
}
