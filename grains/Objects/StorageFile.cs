using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Objects;

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
