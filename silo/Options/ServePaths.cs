using System.Security.Cryptography;
using Cluster.Contracts.Options;
using Cluster.Gateway.Security.Tokens;
using Cluster.Grains.Objects;
using Cluster.Grains.Trust;
using Cluster.Security;
using Cluster.Silo.Clustering;
using Cluster.Silo.Dashboard;
using Cluster.Silo.Transport;

namespace Cluster.Silo.Options;

/// <summary>Looks whether the files and folders that the options name can be read.</summary>
internal static class ServePaths
{
    /// <summary>One line for each that cannot; empty if all can. A path with another mistake is left to that.</summary>
    public static IReadOnlyList<string> Check(ServeConfiguration read)
    {
        var options = read.Options;
        var isSilo = options.Role != ServeRole.Gateway;
        (string Property, string? Path, Func<string, bool> CanRead, string Expected)[] paths =
        [
            (nameof(options.Models), isSilo ? FolderOf(options.Models) : null, IsFolder, "a folder that can be read"),
            (nameof(options.Config), isSilo ? options.Config : null, IsFile, "a file that can be read"),
            (nameof(options.RegisteredModels), isSilo ? FolderOf(options.RegisteredModels) : null, IsFolder, "a folder that can be read"),
            (nameof(options.Storage), isSilo ? options.Storage : null, path => IsStorage(path, options.Insecure), "a JSON file of storage sources that can be read: docs/object-storage.md"),
            (nameof(options.ModelKeys), isSilo ? options.ModelKeys : null, static path => KeyFile<SignatureKeys>.Read(path, SignatureKeys.Parse).Ids.Count > 0, "a PEM file of ECDSA P-256 public keys that can be read"),
            (nameof(options.ModelKeyFile), isSilo ? options.ModelKeyFile : null, static path => KeyFile<EncryptionKeys>.Read(path, EncryptionKeys.Parse).Ids.Count > 0, "a file of keys of 32 bytes in base64 or hexadecimal digits that can be read"),
            (nameof(options.RedisPasswordFile), options.RedisPasswordFile, IsPassword, "a file with a password that can be read"),
            (nameof(options.RedisTlsCa), options.RedisTlsCa, IsAuthorities, "a PEM file of certificates that can be read"),
            (nameof(options.TlsKey), options.TlsKey, IsFile, "a file that can be read"),
            (nameof(options.TlsCert), options.TlsKey is null ? null : options.TlsCert, path => IsCertificate(path, options.TlsKey!), "a PEM file of a certificate that --tls-key belongs to"),
            (nameof(options.TlsClientCa), options.TlsClientCa, IsAuthorities, "a PEM file of certificates that can be read"),
            (nameof(options.TlsCrl), options.TlsCrl, IsFile, "a file that can be read"),
            (nameof(options.Access), options.Access, IsFile, "a file that can be read"),
            (nameof(options.TokenKeys), TokenKeyAddress.IsAddress(options.TokenKeys) ? null : options.TokenKeys, IsFile, "a file that can be read"),
            (nameof(options.RedisTlsKey), options.RedisTlsKey, IsFile, "a file that can be read"),
            (nameof(options.RedisTlsCert), options.RedisTlsKey is null ? null : options.RedisTlsCert, path => IsCertificate(path, options.RedisTlsKey!), "a PEM file of a certificate that --redis-tls-key belongs to"),
            (nameof(options.PeerCa), options.PeerCa, IsAuthorities, "a PEM file of certificates that can be read"),
            (nameof(options.PeerCrl), options.PeerCrl, IsRevocations, "a PEM or DER file of revocation lists that can be read"),
            (nameof(options.PeerKey), options.PeerKey, IsFile, "a file that can be read"),
            (nameof(options.PeerCert), options.PeerKey is null ? null : options.PeerCert, path => IsPeer(path, options), $"a PEM file of a certificate for cluster '{options.ClusterId}' that --peer-key belongs to"),
        ];
        var wrong = OptionSection.Check(read.Configuration, options).Select(static mistake => mistake.Key).ToHashSet();
        string[] dashboard = DashboardFolder.Check(read.Configuration) is { } mistake ? [mistake] : [];
        return [.. dashboard, .. paths.Select(static path => (Key: $"{ServeOptions.Section}:{path.Property}", path.Path, path.CanRead, path.Expected))
            .Where(path => path.Path is not null && !wrong.Contains(path.Key) && !CanRead(path.CanRead, path.Path))
            .Select(path => OptionSection.Say(read.Configuration, path.Key, path.Path!, path.Expected))];
    }

    private static bool CanRead(Func<string, bool> read, string path)
    {
        try
        {
            return read(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or FormatException)
        {
            return false;
        }
    }

    /// <summary>Null for an address: whether it can be read, the first look at the repository says.</summary>
    private static string? FolderOf(string? place) => ObjectAddress.IsAddress(place) ? null : place;

    private static bool IsStorage(string path, bool insecure) =>
        KeyFile<IReadOnlyList<StorageSource>>.Read(path, text => StorageFile.Parse(text, new ObjectStorageOptions { Insecure = insecure })).Count >= 0;

    private static bool IsFolder(string path)
    {
        using var entries = Directory.EnumerateFileSystemEntries(path).GetEnumerator();
        _ = entries.MoveNext();
        return true;
    }

    private static bool IsFile(string path)
    {
        using var stream = File.OpenRead(path);
        return true;
    }

    private static bool IsPassword(string path) => RedisFiles.ReadPassword(path).Length > 0;

    private static bool IsAuthorities(string path) => PemFiles.ReadCertificates(path).Count > 0;

    private static bool IsRevocations(string path) => TrustFiles.IsRevocations(path);

    private static bool IsCertificate(string path, string key)
    {
        using var certificate = PemFiles.ReadPair(path, key);
        return certificate.HasPrivateKey;
    }

    /// <summary>A process does not start with a certificate that no other process would take.</summary>
    private static bool IsPeer(string path, ServeOptions options)
    {
        using var certificate = PemFiles.ReadPair(path, options.PeerKey!);
        return PeerIdentity.Check(certificate, options.ClusterId) is null;
    }
}
