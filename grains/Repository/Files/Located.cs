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
