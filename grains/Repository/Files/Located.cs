namespace Cluster.Grains.Repository.Files;

/// <summary>An entry of a folder with its links followed, or why it must not be used.</summary>
/// <param name="Path">Absolute, without links; empty with a problem.</param>
/// <param name="Stat">Of the entry, or of what the link finally leads to.</param>
/// <param name="Problem">Names the entry and never what the link leads to.</param>
/// <param name="Dangling">The problem is only that the link leads nowhere.</param>
internal readonly record struct Located(string Path, FileStat Stat, string? Problem = null, bool Dangling = false)
{
    /// <summary>Looks up an entry.</summary>
    /// <param name="root">Real path of what nothing may lead out of.</param>
    /// <param name="folder">Real path, inside <paramref name="root"/>.</param>
    /// <param name="name">One segment.</param>
    /// <param name="label">What to call the entry in a problem.</param>
    /// <returns>Null if there is no such entry.</returns>
    public static Located? Find(string root, string folder, string name, string label)
    {
        var path = System.IO.Path.Combine(folder, name);
        return FileStat.Read(path, followLinks: false) switch
        {
            null => null,
            { Kind: FileKind.Link } => Follow(root, path, label),
            { } stat => new Located(path, stat),
        };
    }

    private static Located Follow(string root, string path, string label)
    {
        string real;
        try
        {
            real = RealPath.Resolve(path);
        }
        catch (IOException)
        {
            return new Located("", default, $"'{label}' is a link that goes round in a circle", Dangling: true);
        }

        if (!RealPath.IsInside(root, real))
        {
            return new Located("", default, $"'{label}' is a link that leads out of the repository");
        }

        // Not following: a link here was put in place after the path was resolved.
        return FileStat.Read(real, followLinks: false) is { Kind: not FileKind.Link } stat
            ? new Located(real, stat)
            : new Located("", default, $"'{label}' is a link that leads nowhere", Dangling: true);
    }
}

/// <summary>Paths with every link on the way followed, and the question whether one lies inside another.</summary>
internal static class RealPath
{
    /// <summary>As many as Linux itself follows before it calls them a loop.</summary>
    private const int MaxLinks = 40;

    /// <summary>The absolute path that <paramref name="path"/> finally means. What does not exist is taken as written.</summary>
    /// <exception cref="IOException">The links go round in a circle.</exception>
    public static string Resolve(string path)
    {
        path = Path.Combine(Environment.CurrentDirectory, path);
        var current = Path.GetPathRoot(path)!;
        var pending = new Stack<string>();
        Push(pending, path[current.Length..]);
        var links = 0;
        while (pending.TryPop(out var segment))
        {
            if (segment == "..")
            {
                current = Path.GetDirectoryName(current) ?? current;
                continue;
            }

            var next = Path.Combine(current, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                current = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new IOException("too many links");
            }

            var root = Path.GetPathRoot(target) ?? "";
            current = root.Length > 0 ? root : current;
            Push(pending, target[root.Length..]);
        }

        return current;
    }

    /// <summary>Whether <paramref name="path"/> is <paramref name="root"/> or below it; both resolved.</summary>
    public static bool IsInside(string root, string path) =>
        path.StartsWith(root, StringComparison.Ordinal)
        && (path.Length == root.Length || Path.EndsInDirectorySeparator(root) || IsSeparator(path[root.Length]));

    /// <summary>Whether a segment of the path is <c>..</c>, with either slash.</summary>
    public static bool HasParentSegment(string path) => path.Split('/', '\\').Contains("..");

    private static void Push(Stack<string> pending, string path)
    {
        var segments = path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
        foreach (var segment in segments.Where(segment => segment != ".").Reverse())
        {
            pending.Push(segment);
        }
    }

    private static bool IsSeparator(char c) => c == Path.DirectorySeparatorChar || c == Path.AltDirectorySeparatorChar;
}

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
