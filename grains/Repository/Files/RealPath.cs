namespace Cluster.Grains.Repository.Files;

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
