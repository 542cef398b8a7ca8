using Cluster.Grains.Trust;

namespace Cluster.Silo.Trust;

/// <summary>Encrypts the graph of each version and its external data. In place, a file that is encrypted takes the place of the one that it was made of.</summary>
internal static class ModelEncryptor
{
    /// <param name="name">Null for the folder's.</param>
    /// <param name="copy">The folder to write a copy of the model's folder to; null encrypts in place.</param>
    public static IEnumerable<string> Encrypt(string folder, string? name, string keyPath, string? copy)
    {
        var keys = KeyFile<EncryptionKeys>.Read(keyPath, EncryptionKeys.Parse);
        var model = PublishedModel.Read(folder, name);
        var secrets = model.Versions.ToDictionary(static version => version.Version, SecretsOf);
        var target = copy is null ? model.Folder : Path.Combine(copy, model.Name);
        if (copy is not null)
        {
            CopyOthers(model, secrets, target);
        }

        else if (model.Versions.SelectMany(version => version.Files.Files.Where(file => secrets[version.Version].Contains(file.Name) && file.RealPath != Path.Combine(version.Folder, file.Name)))
            .FirstOrDefault() is { Name: { } link })
        {
            throw new IOException($"'{link}' is a link, and what it leads to may serve others; --out makes a copy");
        }

        foreach (var version in model.Versions)
        {
            foreach (var file in version.Files.Files.Where(file => secrets[version.Version].Contains(file.Name)))
            {
                var to = Path.Combine(copy is null ? version.Folder : Path.Combine(target, version.Name), file.Name + EncryptedHeader.Ending);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                WriteEncrypted(file.RealPath, to, keys, EncryptedHeader.Create(keys.Ids.First(), model.Name, version.Version, file.Name));
                if (copy is null)
                {
                    File.Delete(file.RealPath);
                }

                yield return $"encrypted {file.Name} of model {model.Name} version {version.Version} with the key {keys.Ids.First()}";
            }
        }
    }

    /// <summary>The graph and what it names, by the names that the version's folder has for them.</summary>
    private static HashSet<string> SecretsOf(PublishedVersion version)
    {
        if (version.Files.Files.FirstOrDefault(static file => ManifestCheck.IsOwn(file.Name)) is { Name: { } signed })
        {
            throw new IOException($"version {version.Version} has a {signed}: encrypt first, then sign");
        }

        var graph = Path.GetFileName(version.Files.GraphPath);
        if (graph.EndsWith(EncryptedHeader.Ending, StringComparison.Ordinal))
        {
            throw new IOException($"version {version.Version} is encrypted already");
        }

        var facts = ModelScanner.Scan(File.ReadAllBytes(version.Files.GraphPath), graph, new ModelTrustOptions());
        var names = version.Files.Files.Select(static file => file.Name).ToHashSet(StringComparer.Ordinal);
        HashSet<string> secrets = [graph, .. facts.External.Keys.Select(VersionFiles.NameOf)];
        return secrets.FirstOrDefault(secret => !names.Contains(secret)) is { } missing ? throw new IOException($"version {version.Version} has no file '{missing}', which its graph names") : secrets;
    }

    private static void CopyOthers(PublishedModel model, Dictionary<long, HashSet<string>> secrets, string target)
    {
        if (Directory.Exists(target))
        {
            throw new IOException($"'{target}' is there already, and nothing is overwritten");
        }

        Directory.CreateDirectory(target);
        var settings = Path.Combine(model.Folder, "model.json");
        if (File.Exists(settings))
        {
            File.Copy(settings, Path.Combine(target, "model.json"), overwrite: false);
        }

        foreach (var version in model.Versions)
        {
            foreach (var file in version.Files.Files.Where(file => !secrets[version.Version].Contains(file.Name)))
            {
                var to = Path.Combine(target, version.Name, file.Name);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                if (!File.Exists(to))
                {
                    File.Copy(file.RealPath, to);
                }
            }
        }
    }

    private static void WriteEncrypted(string from, string to, EncryptionKeys keys, EncryptedHeader header)
    {
        var bytes = header.ToBytes();
        keys.TryGet(header.KeyId, out var key);
        using var cipher = new ChunkCipher(key, header, bytes);
        using var source = CheckedFile.Open(from);
        using var reader = new FileReader(source, CancellationToken.None);

        // Hidden until it is whole: a silo may be looking.
        var unfinished = Path.Combine(Path.GetDirectoryName(to)!, $".{Path.GetFileName(to)}.new");
        File.Delete(unfinished);
        using var target = NewFile.Create(unfinished, NewFile.Readable);
        target.Write(bytes);
        var plain = new byte[EncryptedHeader.ChunkSize];
        var @sealed = new byte[EncryptedHeader.ChunkSize + EncryptedHeader.TagSize];
        long offset = 0;
        for (uint index = 0; index == 0 || offset < reader.Length; index++)
        {
            var chunk = plain.AsSpan(0, (int)Math.Min(plain.Length, reader.Length - offset));
            reader.Fill(chunk);
            offset += chunk.Length;
            cipher.Seal(index, isLast: offset == reader.Length, chunk, @sealed.AsSpan(0, chunk.Length + EncryptedHeader.TagSize));
            target.Write(@sealed.AsSpan(0, chunk.Length + EncryptedHeader.TagSize));
        }

        _ = reader.Finish();
        target.Flush(flushToDisk: true);
        File.Move(unfinished, to, overwrite: false);
    }
}
