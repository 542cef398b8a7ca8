using System.Collections.Immutable;
using System.Security.Cryptography;
using Cluster.Grains.Trust;

namespace Cluster.Silo.Trust;

/// <summary>Writes a manifest and its signature into each version's folder.</summary>
internal static class ModelSigner
{
    /// <param name="name">Null for the folder's.</param>
    /// <param name="replace">Whether signatures that are there are replaced.</param>
    public static IEnumerable<string> Sign(string folder, string? name, string keyPath, bool replace, TimeProvider time)
    {
        using var key = ReadKey(keyPath);
        var model = PublishedModel.Read(folder, name);
        foreach (var version in model.Versions.Where(_ => !replace))
        {
            if (version.Files.Files.FirstOrDefault(static file => ManifestCheck.IsOwn(file.Name)) is { Name: { } there })
            {
                throw new IOException($"version {version.Version} has a {there} already; --replace writes over it");
            }
        }

        foreach (var version in model.Versions)
        {
            var manifest = new Manifest(model.Name, version.Version, time.GetUtcNow(), model.Settings, HashesOf(version)).ToBytes();
            NewFile.Write(Path.Combine(version.Folder, Manifest.FileName), manifest, NewFile.Readable, replace);
            NewFile.Write(Path.Combine(version.Folder, ManifestSignature.FileName), ManifestSignature.Sign(key, manifest).ToBytes(), NewFile.Readable, replace);
            yield return $"signed model {model.Name} version {version.Version} with the key {SignatureKeys.IdOf(key)}";
        }
    }

    private static ImmutableSortedDictionary<string, ManifestFile> HashesOf(PublishedVersion version)
    {
        var files = ImmutableSortedDictionary.CreateBuilder<string, ManifestFile>(StringComparer.Ordinal);
        foreach (var file in version.Files.Files.Where(static file => !ManifestCheck.IsOwn(file.Name)))
        {
            using var handle = CheckedFile.Open(file.RealPath);
            using var reader = new FileReader(handle, CancellationToken.None);
            reader.Skip();
            files.Add(file.Name, new ManifestFile(reader.Length, Convert.ToHexStringLower(reader.Finish())));
        }

        return files.ToImmutable();
    }

    private static ECDsa ReadKey(string path)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            _ = key.ExportPkcs8PrivateKey();
            return SignatureKeys.IsRight(key) ? key : throw new FormatException($"the key in '{path}' is not on the curve P-256");
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new FormatException($"'{path}' is no PEM file of an ECDSA P-256 private key", exception);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
