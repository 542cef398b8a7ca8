namespace Cluster.Security;

/// <summary>What tells one content of a file from the next, without reading it.</summary>
/// <param name="Path">Where all links on the way lead to.</param>
/// <param name="Created">Another for another file of the same name.</param>
internal readonly record struct FileMark(string? Path, long Length, DateTime Written, DateTime Created)
{
    /// <summary>As many as Linux follows.</summary>
    private const int MaxLinks = 40;

    /// <returns>The mark of no file where there is none, or none that can be looked at.</returns>
    public static FileMark Of(string path)
    {
        try
        {
            var file = new FileInfo(Resolve(System.IO.Path.GetFullPath(path)));
            return file.Exists ? new FileMark(file.FullName, file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc) : default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>Follows the links of each folder on the way: the system's own call follows those of the last name alone.</summary>
    private static string Resolve(string path)
    {
        var links = 0;
        for (var end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
        {
            var part = end < 0 ? path : path[..end];
            if (new FileInfo(part).LinkTarget is { } target)
            {
                if (++links > MaxLinks)
                {
                    throw new IOException("too many links");
                }

                path = System.IO.Path.GetFullPath(target, System.IO.Path.GetDirectoryName(part) ?? "/") + (end < 0 ? "" : path[end..]);
                end = 0;
            }
            else if (end < 0)
            {
                return path;
            }
        }
    }
}
