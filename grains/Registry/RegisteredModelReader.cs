using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Settings;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Trust;

namespace Cluster.Grains.Registry;

/// <summary>
/// Makes a registration of a registered path's present files. The rules of the model repository hold: nothing leads out of the root, and what does is
/// named without what it leads to.
/// </summary>
/// <param name="objects">Reads addresses of object storage; null where there is none.</param>
internal sealed class RegisteredModelReader(RegistryOptions options, TimeProvider clock, RegisteredObjects? objects = null) : IDisposable
{
    /// <summary>Files are read by as many at once as there are processors: more would only wait for the disk and for each other.</summary>
    private readonly SemaphoreSlim _reading = new(Environment.ProcessorCount);

    /// <exception cref="ServingException">FAILED_PRECONDITION: this server has no folder of registered models, or no such storage source.</exception>
    public void RequireRoot(RegisteredInfo info)
    {
        if (StorageKey.Read(info.Key) is { } storage)
        {
            if (objects?.Named(storage.Name) is null)
            {
                throw new ServingException(new Failure(StatusCode.FailedPrecondition, $"this server has no storage source {Refusal.Quote(storage.Name)} (--storage)"));
            }
        }
        else if (options.Root is null && (objects is null || !ObjectAddress.IsAddress(info.Path)))
        {
            throw new ServingException(new Failure(
                StatusCode.FailedPrecondition, "this server registers no models: it was started without a folder for them (--registered-models)"));
        }
    }

    /// <summary>Reads names, stats, and the content of every version. What is wrong is the registration's problem.</summary>
    /// <param name="info">Follows the <see cref="RegisteredModelRules"/>.</param>
    public async Task<ModelRegistration> ReadAsync(string model, RegisteredInfo info)
    {
        if (objects is not null && (StorageKey.Read(info.Key) is not null || ObjectAddress.IsAddress(info.Path) || ObjectAddress.IsAddress(options.Root)))
        {
            return await ReadObjectsAsync(objects, model, info).ConfigureAwait(false) with { Origin = RegistrationOrigin.Registered };
        }

        await _reading.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Read(model, info)).ConfigureAwait(false);
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private async Task<ModelRegistration> ReadObjectsAsync(RegisteredObjects store, string model, RegisteredInfo info)
    {
        var definition = RegisteredModelRules.ReadKey(model, info.Key);
        var storage = StorageKey.Read(info.Key);
        var root = storage is null ? ObjectAddress.IsAddress(info.Path) ? null : ObjectAddress.Parse(options.Root!) : store.Named(storage.Name)?.Root;
        if (storage is not null && (root is null || (storage.Bucket ?? root.Bucket) != root.Bucket))
        {
            return Broken(new ModelTracker(model), definition, root is null
                ? $"this server has no storage source {Refusal.Quote(storage.Name)}"
                : $"the storage source {Refusal.Quote(storage.Name)} is not for the bucket {Refusal.Quote(storage.Bucket!)}");
        }

        var path = string.Join('/', info.Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static segment => segment != "."));
        var address = root is null ? ObjectAddress.Parse(info.Path) : ObjectKeys.ProblemOf(path) is null ? root.Below(path) : null;
        return address is null
            ? Broken(new ModelTracker(model), definition, $"{Refusal.Quote(info.Path)} is no address of an object, expected {ObjectAddress.Form}")
            : await store.ReadAsync(model, address, definition, CancellationToken.None).ConfigureAwait(false);
    }

    private ModelRegistration Read(string model, RegisteredInfo info)
    {
        var key = RegisteredModelRules.ReadKey(model, info.Key);
        var tracker = new ModelTracker(model);
        try
        {
            return Read(info.Path, key, tracker) with { Origin = RegistrationOrigin.Registered };
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return Broken(tracker, key, $"'{info.Path}' cannot be read: {IoReason.Of(exception)}") with { Origin = RegistrationOrigin.Registered };
        }
    }

    private static ModelRegistration Broken(ModelTracker tracker, ModelDefinition? key, string problem) =>
        tracker.Report([], key ?? ModelDefinition.Default, problem);

    private ModelRegistration Read(string path, ModelDefinition? key, ModelTracker tracker)
    {
        if (options.Root is null)
        {
            return Broken(tracker, key, "this server has no folder of registered models any more");
        }

        var root = RealPath.Resolve(options.Root);
        return Find(root, path, out var folder) switch
        {
            null => Broken(tracker, key, $"there is no '{path}'"),
            { Problem: { } problem } => Broken(tracker, key, problem),
            { Stat.Kind: FileKind.Directory } found => ReadFolder(root, found.Path, path, key, tracker),
            { Stat.Kind: FileKind.Regular } found when found.Path.EndsWith(".onnx", StringComparison.Ordinal) =>
                ReadFile(root, folder, found, path, key, tracker),
            _ => Broken(tracker, key, $"'{path}' is neither a .onnx file nor a folder"),
        };
    }

    /// <summary>Goes down the path segment by segment, so that no link on it leads out of the root.</summary>
    /// <param name="folder">The folder that holds the found files.</param>
    private static Located? Find(string root, string path, out string folder)
    {
        folder = root;
        var label = "";
        Located? found = new Located(root, new FileStat(FileKind.Directory, 0, 0, 0, 0, 0));
        foreach (var segment in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(segment => segment != "."))
        {
            if (found is not { Problem: null, Stat.Kind: FileKind.Directory } parent)
            {
                return found is { Problem: null } ? null : found;
            }

            folder = parent.Path;
            label = label.Length == 0 ? segment : $"{label}/{segment}";
            found = Located.Find(root, folder, segment, label);
        }

        return label.Length == 0 ? null : found;
    }

    private ModelRegistration ReadFolder(string root, string folder, string path, ModelDefinition? key, ModelTracker tracker)
    {
        var definition = key ?? new SettingsFile(clock).Update(root, folder);
        var names = Folder.Names(folder);
        if (names.Any(name => VersionScanner.TryParse(name, out _)))
        {
            return tracker.Report(new VersionScanner(clock).Scan(root, folder, names).Versions, definition);
        }

        return tracker.Report(OnlyVersion(VersionFolder.Read(root, folder, path)), definition);
    }

    private ModelRegistration ReadFile(string root, string folder, Located file, string path, ModelDefinition? key, ModelTracker tracker)
    {
        // A link is loaded from where it leads to, and its external data from beside that.
        var home = Path.GetDirectoryName(file.Path)!;
        var problem = VersionFolder.ProblemOf(root, folder, Path.GetDirectoryName(path) is { Length: > 0 } label ? label : ".")
            ?? (home == folder ? null : VersionFolder.ProblemOf(root, home, path));
        var listing = problem is null
            ? VersionListing.OfFile(file.Path, file.Stat)
            : new VersionListing([], "", problem);
        return tracker.Report(OnlyVersion(listing), key ?? ModelDefinition.Default);
    }

    private ImmutableArray<ModelVersionSource> OnlyVersion(VersionListing listing) => [new VersionTracker(1, clock).Update(listing)];
}
