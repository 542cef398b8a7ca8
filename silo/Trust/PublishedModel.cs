using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Silo.Trust;

/// <summary>A model's folder as a silo will read it, before it is signed or encrypted.</summary>
/// <param name="Name">The name that it is served by.</param>
/// <param name="Folder">Real path.</param>
/// <param name="Settings">The content of model.json as JSON; null where there is none.</param>
/// <param name="Versions">Ascending; the folder itself as version 1 where it has no folders of versions.</param>
internal sealed record PublishedModel(string Name, string Folder, string? Settings, IReadOnlyList<PublishedVersion> Versions)
{
    /// <param name="name">Null for the folder's.</param>
    /// <exception cref="IOException">It is no folder of a model that can be served.</exception>
    public static PublishedModel Read(string folder, string? name)
    {
        if (!Directory.Exists(folder))
        {
            throw new IOException($"there is no folder '{folder}'");
        }

        var real = RealPath.Resolve(folder);
        name ??= Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (ModelName.ProblemOf(name) is { } problem)
        {
            throw new IOException(problem);
        }

        var numbered = Cluster.Grains.Repository.Files.Folder.Names(real)
            .Where(entry => VersionScanner.TryParse(entry, out _) && Directory.Exists(Path.Combine(real, entry)))
            .Select(entry => (Version: VersionScanner.TryParse(entry, out var version) ? version : 0, Name: entry, Folder: RealPath.Resolve(Path.Combine(real, entry))))
            .OrderBy(static entry => entry.Version)
            .ToList();
        var versions = numbered.Count > 0 ? numbered : [(1, "", real)];
        return new PublishedModel(name, real, ReadSettings(real), [.. versions.Select(static version => ReadVersion(version.Version, version.Name, version.Folder))]);
    }

    private static PublishedVersion ReadVersion(long version, string name, string folder)
    {
        var listing = VersionFolder.Read(Path.GetPathRoot(folder)!, folder, Path.GetFileName(folder));
        return listing.Problem is { } problem ? throw new IOException($"version {version}: {problem}") : new PublishedVersion(version, name, folder, listing);
    }

    private static string? ReadSettings(string folder)
    {
        var path = Path.Combine(folder, SettingsFile.Name);
        if (!File.Exists(path))
        {
            return null;
        }

        var text = File.ReadAllBytes(path);
        var errors = new JsonErrors();
        return ModelSettingsReader.Read(text, errors) is not null && JsonTree.Parse(text, errors) is { } settings
            ? settings.ToJson()
            : throw new FormatException($"{SettingsFile.Name}: {errors}");
    }
}

/// <param name="Name">Of its folder, in the model's; empty where that is the version's too.</param>
/// <param name="Folder">Real path.</param>
internal sealed record PublishedVersion(long Version, string Name, string Folder, VersionListing Files);

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
