using System.Collections.Immutable;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects;

/// <summary>What may be read of which store: the addresses of the command line, and the file of sources, which is followed. Safe from any thread.</summary>
internal sealed class StorageSources
{
    private readonly Lock _lock = new();
    private readonly ObjectStorageOptions _options;
    private readonly ImmutableArray<StorageSource> _own;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ImmutableArray<StorageSource> _named = [];
    private FileStat? _stat;
    private string? _problem;

    /// <param name="options">Validated.</param>
    /// <param name="roots">What the command line names, addresses or folders or null.</param>
    public StorageSources(ObjectStorageOptions options, IEnumerable<string?> roots, TimeProvider time, ILogger<StorageSources> logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        var endpoint = options.Endpoint is { } text ? ObjectStorageOptions.EndpointOf(text, options.Insecure) : null;
        _own =
        [
            .. roots.OfType<string>().Select(ObjectAddress.Parse).OfType<ObjectAddress>().Distinct()
                .Select(root => new StorageSource("", root, endpoint, options.Region, options.PathStyle, StorageCredentials.Chain)),
        ];
    }

    /// <summary>The source that an address may be read from, the closest one of several; null if it may not be read.</summary>
    public StorageSource? Find(ObjectAddress address) =>
        Current().Where(source => source.Root.Holds(address)).MaxBy(static source => source.Root.Key.Length);

    /// <summary>The source of that name in the file; null if there is none.</summary>
    public StorageSource? Named(string name) => Current().FirstOrDefault(source => source.Name == name && name.Length > 0);

    /// <summary>A source that the file names goes before one of the command line with the same root.</summary>
    private ImmutableArray<StorageSource> Current()
    {
        lock (_lock)
        {
            if (_options.Sources is { } path)
            {
                Refresh(path);
            }

            return [.. _named, .. _own];
        }
    }

    private void Refresh(string path)
    {
        try
        {
            var stat = FileStat.Read(path, followLinks: true);
            if (stat is not null && stat == _stat)
            {
                return;
            }

            _stat = stat?.IsFresh(_time.GetUtcNow()) == true ? null : stat;
            _named = [.. KeyFile<IReadOnlyList<StorageSource>>.Read(path, text => StorageFile.Parse(text, _options))];
            _problem = null;
        }
        catch (Exception exception) when (IoReason.IsFileError(exception) || exception is FormatException)
        {
            var problem = exception is FormatException ? exception.Message : IoReason.Of(exception);
            if (problem != _problem)
            {
                Log.SourcesStay(_logger, path, problem);
                _problem = problem;
            }
        }
    }
}

/// <summary>A store and what may be read of it. Nothing outside of <see cref="Root"/> is asked for.</summary>
/// <param name="Name">As the storage key of ModelMesh's registrations names it; empty for the options' own.</param>
/// <param name="Root">The bucket, and the prefix in it, that alone is read.</param>
/// <param name="Endpoint">Null for Amazon's own of the region.</param>
/// <param name="Region">What requests are signed for.</param>
/// <param name="PathStyle">Whether the bucket stands in the path, not in the host's name.</param>
/// <param name="Credentials">Where they are.</param>
internal sealed record StorageSource(string Name, ObjectAddress Root, Uri? Endpoint, string Region, bool PathStyle, StorageCredentials Credentials);

/// <summary>Files with credentials; all null takes the standard chain: environment, shared file, container and instance role.</summary>
/// <param name="AccessKeyFile">A file with the id of an access key.</param>
/// <param name="SecretKeyFile">A file with its secret.</param>
/// <param name="SharedFile">A file in the form of <c>~/.aws/credentials</c>.</param>
/// <param name="Profile">The profile in <paramref name="SharedFile"/>; null for <c>default</c>.</param>
internal sealed record StorageCredentials(string? AccessKeyFile, string? SecretKeyFile, string? SharedFile, string? Profile)
{
    public static StorageCredentials Chain { get; } = new(null, null, null, null);
}
