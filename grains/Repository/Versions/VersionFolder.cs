using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>
/// The files that belong to a version: everything in its folder and in folders below, except what is hidden. Hidden entries are
/// searched for links all the same, because a graph may name them as its external data.
/// </summary>
internal sealed class VersionFolder
{
    public const int MaxDepth = 8;
    public const int MaxEntries = 10_000;

    private readonly string _root;
    private readonly string _label;
    private readonly HashSet<(string Path, bool Hidden)> _visited = [];
    private readonly List<VersionFile> _files = [];
    private readonly Func<string, List<string>> _names;
    private int _entries;

    /// <param name="names">Reads the names in the version's own folder.</param>
    private VersionFolder(string root, string label, Func<string, List<string>> names)
    {
        _root = root;
        _label = label;
        _names = names;
    }

    /// <summary>Reads names and stats, no content.</summary>
    /// <param name="root">Real path of what nothing may lead out of.</param>
    /// <param name="folder">Real path of the version's folder, inside <paramref name="root"/>.</param>
    /// <param name="label">What to call the folder in a problem.</param>
    public static VersionListing Read(string root, string folder, string label) => Read(root, folder, label, Folder.Names);

    /// <summary>As above, from look to look.</summary>
    /// <param name="root">Real path of what nothing may lead out of.</param>
    /// <param name="folder">The version's folder, inside <paramref name="root"/>.</param>
    /// <param name="label">What to call the folder in a problem.</param>
    /// <param name="known">What the looks before found in it.</param>
    public static VersionListing Read(string root, Located folder, string label, KnownFolder known) =>
        Read(root, folder.Path, label, path => known.Names(path, folder.Stat));

    /// <summary>Why a file of this folder must not be loaded, as it might name any other as its external data; null if it may.</summary>
    /// <inheritdoc cref="Read(string, string, string)"/>
    public static string? ProblemOf(string root, string folder, string label)
    {
        try
        {
            return new VersionFolder(root, label, Folder.Names).Visit(folder, "", 0, hidden: false);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return $"'{label}' cannot be read: {IoReason.Of(exception)}";
        }
    }

    private static VersionListing Read(string root, string folder, string label, Func<string, List<string>> names)
    {
        var walk = new VersionFolder(root, label, names);
        try
        {
            return walk.Visit(folder, "", 0, hidden: false) is { } problem
                ? new VersionListing([], "", problem)
                : walk.Finish(folder);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return new VersionListing([], "", $"'{label}' cannot be read: {IoReason.Of(exception)}");
        }
    }

    private string? Visit(string folder, string prefix, int depth, bool hidden)
    {
        if (depth > MaxDepth)
        {
            return $"'{_label}/{prefix.TrimEnd('/')}' is more than {MaxDepth} folders deep";
        }

        // A folder reached twice is a link to it; without this, a link to a parent would never end.
        if (!_visited.Add((folder, hidden)))
        {
            return null;
        }

        foreach (var name in depth == 0 ? _names(folder) : Folder.Names(folder))
        {
            if (++_entries > MaxEntries)
            {
                return $"'{_label}' holds more than {MaxEntries} files";
            }

            if (VisitEntry(folder, name, prefix, depth, hidden || Folder.IsHidden(name)) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private string? VisitEntry(string folder, string name, string prefix, int depth, bool hidden)
    {
        var relative = prefix + name;
        if (Located.Find(_root, folder, name, $"{_label}/{relative}") is not { } entry)
        {
            return null;
        }

        if (entry.Problem is not null)
        {
            // Editors mark a file as open with a hidden link that leads nowhere.
            return hidden && entry.Dangling ? null : entry.Problem;
        }

        switch (entry.Stat.Kind)
        {
            case FileKind.Directory:
                return Visit(entry.Path, relative + "/", depth + 1, hidden);
            case FileKind.Regular when !hidden:
                _files.Add(new VersionFile(relative, entry.Path, entry.Stat));
                return null;
            default:
                return hidden ? null : $"'{_label}/{relative}' is neither a file nor a folder";
        }
    }

    private VersionListing Finish(string folder)
    {
        var (graph, problem) = VersionGraph.Choose([.. _files.Select(static file => file.Name)], _label);
        return graph is null ? new VersionListing([], "", problem) : new VersionListing([.. _files], Path.Combine(folder, graph), null);
    }
}
