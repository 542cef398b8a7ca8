using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;
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

/// <summary>Reads the file of storage sources: an object with a member for each source, whose name ModelMesh calls the storage key.</summary>
internal sealed class StorageFile
{
    private static readonly FrozenDictionary<string, Action<StorageFile, JsonMember, JsonErrors>> Keys =
        new Dictionary<string, Action<StorageFile, JsonMember, JsonErrors>>
        {
            ["type"] = static (_, member, errors) => ReadType(member, errors),
            ["bucket"] = static (file, member, errors) => file._bucket = JsonExpect.String(member, errors) ?? "",
            ["prefix"] = static (file, member, errors) => file._prefix = JsonExpect.String(member, errors) ?? "",
            ["endpoint"] = static (file, member, errors) => file.ReadEndpoint(member, errors),
            ["region"] = static (file, member, errors) => file._region = JsonExpect.String(member, errors) ?? "",
            ["path_style"] = static (file, member, errors) => file._pathStyle = JsonExpect.Boolean(member, errors) ?? false,
            ["access_key_file"] = static (file, member, errors) => file._accessKey = JsonExpect.String(member, errors),
            ["secret_key_file"] = static (file, member, errors) => file._secretKey = JsonExpect.String(member, errors),
            ["credentials_file"] = static (file, member, errors) => file._shared = JsonExpect.String(member, errors),
            ["profile"] = static (file, member, errors) => file._profile = JsonExpect.String(member, errors),
        }.ToFrozenDictionary();

    private readonly ObjectStorageOptions _options;
    private string _bucket = "";
    private string _prefix = "";
    private string _region;
    private Uri? _endpoint;
    private bool _pathStyle;
    private string? _accessKey;
    private string? _secretKey;
    private string? _shared;
    private string? _profile;

    private StorageFile(ObjectStorageOptions options)
    {
        _options = options;
        _region = options.Region;
    }

    /// <exception cref="FormatException">It is no such file; the message has everything that is wrong with it.</exception>
    public static IReadOnlyList<StorageSource> Parse(string text, ObjectStorageOptions options)
    {
        var errors = new JsonErrors();
        var sources = new List<StorageSource>();
        var top = JsonTree.Parse(Encoding.UTF8.GetBytes(text), errors);
        if (top is { Kind: not JsonValueKind.Object })
        {
            errors.Expected("the file", top, "an object with a member for each storage source");
        }

        foreach (var member in top?.Members ?? [])
        {
            var file = new StorageFile(options);
            JsonExpect.Object(member.Path, member.Value, Keys, file, errors);
            if (file.Finish(member, errors) is { } source)
            {
                sources.Add(source);
            }
        }

        return errors.Any ? throw new FormatException(errors.ToString()) : sources;
    }

    private StorageSource? Finish(JsonMember member, JsonErrors errors)
    {
        var text = _prefix.Length == 0 ? $"{ObjectAddress.Scheme}{_bucket}" : $"{ObjectAddress.Scheme}{_bucket}/{_prefix}";
        if (_accessKey is null != _secretKey is null)
        {
            errors.Add(member.Line, $"'{member.Path}' has one of 'access_key_file' and 'secret_key_file'; expected both or neither");
        }

        if (_accessKey is not null && _shared is not null)
        {
            errors.Add(member.Line, $"'{member.Path}' has both 'access_key_file' and 'credentials_file'; expected one of them");
        }

        if (_profile is not null && _shared is null)
        {
            errors.Add(member.Line, $"'{member.Path}' has 'profile' without 'credentials_file'");
        }

        if (member.Name.Length == 0 || _region.Length == 0)
        {
            errors.Add(member.Line, $"'{member.Path}' has an empty name or region");
        }

        if (ObjectAddress.Parse(text) is not { } root)
        {
            errors.Add(member.Line, $"'{member.Path}' has no bucket and prefix that can be read; expected a bucket's name, and a prefix without '..' and empty segments");
            return null;
        }

        return new StorageSource(member.Name, root, _endpoint, _region, _pathStyle, new StorageCredentials(_accessKey, _secretKey, _shared, _profile));
    }

    private static void ReadType(JsonMember member, JsonErrors errors)
    {
        if (JsonExpect.String(member, errors, "\"s3\"") is { } type && type != "s3")
        {
            errors.Expected(member, "\"s3\"");
        }
    }

    private void ReadEndpoint(JsonMember member, JsonErrors errors)
    {
        const string expected = "an address of https://, without a path; http:// only on loopback, or with --insecure";
        if (JsonExpect.String(member, errors, expected) is { } text && (_endpoint = ObjectStorageOptions.EndpointOf(text, _options.Insecure)) is null)
        {
            errors.Add(member.Line, $"'{member.Path}' cannot be used; expected {expected}");
        }
    }
}
