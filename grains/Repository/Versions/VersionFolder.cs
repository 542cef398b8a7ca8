using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Trust;

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

/// <summary>Which of a version's files is the graph to load: <c>model.onnx</c>, its encrypted form, or the only one of either ending.</summary>
internal static class VersionGraph
{
    private const string Graph = ".onnx";
    private const string Default = "model" + Graph;
    private const string Encrypted = Default + EncryptedHeader.Ending;
    private const int MaxNamesInProblem = 5;

    /// <param name="names">Of all its files, relative to the version's folder.</param>
    /// <param name="label">What to call the folder in a problem.</param>
    /// <returns>One of the two.</returns>
    public static (string? Name, string? Problem) Choose(IReadOnlyCollection<string> names, string label)
    {
        if (names.Contains(Default) && names.Contains(Encrypted))
        {
            return (null, $"'{label}' has both '{Default}' and '{Encrypted}'");
        }

        var graphs = names.Where(IsGraph).ToList();
        var chosen = graphs.Contains(Default) ? Default : graphs.Contains(Encrypted) ? Encrypted : graphs.Count == 1 ? graphs[0] : null;
        if (chosen is not null)
        {
            return (chosen, null);
        }

        var more = graphs.Count > MaxNamesInProblem ? ", …" : "";
        var shown = string.Join(", ", graphs.Take(MaxNamesInProblem).Select(static name => $"'{name}'"));
        return (null, graphs.Count == 0
            ? $"there is no .onnx file in '{label}'"
            : $"'{label}' has several .onnx files and none is called 'model.onnx': {shown}{more}");
    }

    private static bool IsGraph(string name) => (name.EndsWith(Graph, StringComparison.Ordinal) || name.EndsWith(Graph + EncryptedHeader.Ending, StringComparison.Ordinal)) && !name.Contains('/');
}

/// <summary>What a version's folder holds, unread.</summary>
/// <param name="Files">All that make up the revision; empty with a problem.</param>
/// <param name="GraphPath">The .onnx file to load; empty with a problem.</param>
/// <param name="Problem">Why it cannot be loaded, or null.</param>
internal sealed record VersionListing(ImmutableArray<VersionFile> Files, string GraphPath, string? Problem)
{
    /// <summary>Whether the graph is the whole version, not its folder.</summary>
    public bool IsSingleFile { get; private init; }

    /// <summary>What is there now. That nothing leads out of the repository, the registration says, and equal content is equal wherever it is.</summary>
    public static VersionListing Of(ModelVersionSource source)
    {
        if (source.IsSingleFile)
        {
            return FileStat.Read(source.Path, followLinks: true) is { Kind: FileKind.Regular } stat
                ? OfFile(source.Path, stat)
                : new VersionListing([], "", $"there is no file '{Path.GetFileName(source.Path)}'");
        }

        var folder = RealPath.Resolve(Path.GetDirectoryName(source.Path)!);
        return VersionFolder.Read(Path.GetPathRoot(folder)!, folder, Path.GetFileName(folder));
    }

    /// <param name="path">Real path of the .onnx file.</param>
    /// <param name="stat">Of that file.</param>
    public static VersionListing OfFile(string path, FileStat stat) =>
        new([new VersionFile(Path.GetFileName(path), path, stat)], path, null) { IsSingleFile = true };
}

/// <summary>One file of a version.</summary>
/// <param name="Name">Relative to the version's folder, with forward slashes.</param>
/// <param name="RealPath">Where its content is.</param>
/// <param name="Stat">Of the content, not of a link to it.</param>
internal readonly record struct VersionFile(string Name, string RealPath, FileStat Stat);
