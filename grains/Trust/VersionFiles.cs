using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Trust;

/// <summary>The files that a load may read: those of the version's folder, or beside a model that is a single file.</summary>
internal sealed class VersionFiles
{
    private readonly ModelVersionSource _source;
    private readonly Dictionary<string, VersionFile> _files;

    private VersionFiles(ModelVersionSource source, VersionListing listing)
    {
        _source = source;
        Listing = listing;
        _files = listing.Files.ToDictionary(static file => file.Name, StringComparer.Ordinal);
    }

    public VersionListing Listing { get; }

    public IReadOnlyCollection<VersionFile> All => _files.Values;

    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: the folder is not as it must be.</exception>
    public static VersionFiles List(ModelVersionSource source)
    {
        var listing = VersionListing.Of(source);
        return listing.Problem is { } problem ? throw Refusal.Of(problem) : new VersionFiles(source, listing);
    }

    /// <summary>A file by its name, relative to the version's folder, without <c>.</c> and <c>..</c>; null if there is none that belongs to the version.</summary>
    public VersionFile? Find(string name)
    {
        if (_files.TryGetValue(name, out var listed))
        {
            return listed;
        }

        return _source.IsSingleFile ? FindBeside(name) : null;
    }

    /// <summary>The path that a graph gives its external data, as <see cref="Find"/> takes it.</summary>
    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: it leads out of the version's folder.</exception>
    public static string NameOf(string location)
    {
        var segments = location.Split('/');
        if (location.Length == 0 || Path.IsPathRooted(location) || location.Any(static letter => char.IsControl(letter) || letter == '\\') || segments.Contains(".."))
        {
            throw Refusal.Of($"external data {Refusal.Quote(location)} is no path inside the version's folder");
        }

        return string.Join('/', segments.Where(static segment => segment is not ("" or ".")));
    }

    /// <summary>No path leads out of the file's own folder, because files elsewhere were not registered.</summary>
    private VersionFile? FindBeside(string name)
    {
        var home = RealPath.Resolve(Path.GetDirectoryName(_source.Path)!);
        var folder = home;
        var segments = name.Split('/');
        for (var i = 0; ; i++)
        {
            if (Located.Find(home, folder, segments[i], name) is not { } found || Folder.IsHidden(segments[i]))
            {
                return null;
            }

            if (found.Problem is { } problem)
            {
                throw Refusal.Of(problem);
            }

            if (i == segments.Length - 1)
            {
                return found.Stat.Kind == FileKind.Regular ? new VersionFile(name, found.Path, found.Stat) : throw Refusal.Of($"{Refusal.Quote(name)} is no regular file");
            }

            folder = found.Path;
        }
    }
}
