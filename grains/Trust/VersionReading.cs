using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Sessions.Loading;

namespace Cluster.Grains.Trust;

/// <summary>
/// One reading of a version. 1: the sizes. 2: the manifest and its signature. 3: the graph's file, whose hash the manifest must have. 4: the graph's limits. 5: its external
/// data. 6: labels and the sample. 7: what else the manifest lists. 8: the registered SHA-256, over the bytes that were read. 9: the ledger.
/// </summary>
internal sealed class VersionReading(
    ModelTrustOptions options,
    IContentCheck contents,
    OpenModelFile open,
    KeyFile<SignatureKeys> signers,
    KeyFile<EncryptionKeys> keys,
    SignedLedger ledger,
    string model,
    ReplicaSpec spec,
    CancellationToken cancellationToken)
{
    private const int MaxLabels = 1 << 20;

    private readonly ModelVersionSource _source = spec.Source;
    private readonly Dictionary<string, byte[]> _hashes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _external = new(StringComparer.Ordinal);
    private VersionFiles _files = null!;
    private Manifest? _manifest;
    private long _bytes;

    public VersionContent Read()
    {
        _files = VersionFiles.List(_source);
        var name = Path.GetFileName(_source.Path);
        var graph = _files.Find(name) ?? throw Refusal.Of($"there is no file '{name}'");
        Add(_files.All.Sum(static file => file.Stat.Size));
        _manifest = signers.IsGiven ? new ManifestCheck(options, _files, signers.Current(), open, cancellationToken).Read(model, spec) : null;
        if (_manifest is not null)
        {
            ledger.Check(_manifest);
        }

        var content = new VersionContent { FileName = name };
        try
        {
            content.Graph = Load(graph, name, content, options.MaxFileBytes, hasPath: true);
            foreach (var (location, end) in ModelScanner.Scan(content.Graph.Bytes, name, options).External)
            {
                content.AddExternal(location, LoadExternal(location, end, content));
            }

            content.Digest = Digest(name);
            ReadLabels(content);
            content.Sample = spec.Settings.WarmUp && _files.Find(VersionContent.SampleFile) is { } sample ? ReadText(sample, "warm_up", VersionContent.MaxSample) : null;
            HashOthers();
            if (contents.ProblemOf(_source, _files.Listing, _hashes) is { } problem)
            {
                throw Refusal.Of(problem);
            }

            if (_manifest is not null)
            {
                ledger.Accept(_manifest);
            }

            return content;
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }

    /// <summary>Of the files as they were read, with the names by which the graph knows them.</summary>
    private byte[] Digest(string graph)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(_hashes[graph]);
        foreach (var name in _external.Order(StringComparer.Ordinal))
        {
            digest.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
            digest.AppendData(_hashes[name]);
        }

        return digest.GetHashAndReset();
    }

    private void Add(long bytes)
    {
        _bytes += bytes;
        if (_bytes > options.MaxVersionBytes)
        {
            throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"its files have {_bytes} bytes; Models:{nameof(options.MaxVersionBytes)} allows {options.MaxVersionBytes}"));
        }
    }

    private MemoryFile LoadExternal(string location, long end, VersionContent content)
    {
        var name = VersionFiles.NameOf(location);
        var encrypted = name + EncryptedHeader.Ending;
        var (plain, @sealed) = (_files.Find(name), _files.Find(encrypted));
        if (plain is not null && @sealed is not null)
        {
            throw Refusal.Of($"external data {Refusal.Quote(location)} is there both as it is and encrypted");
        }

        var file = plain ?? @sealed ?? throw Refusal.Of($"external data {Refusal.Quote(location)} is no file of the version");
        if (!_external.Add(file.Name))
        {
            // Locations differ, so this is another spelling: with many of them one file would be held many times.
            throw Refusal.Of($"external data {Refusal.Quote(location)} is a file that the graph names in another way too");
        }

        if (_source.IsSingleFile)
        {
            Add(file.Stat.Size);
        }

        var loaded = Load(file, name, content, long.MaxValue, hasPath: false);
        if (end > loaded.Length)
        {
            var length = loaded.Length;
            loaded.Dispose();
            throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"external data {Refusal.Quote(location)} has {length} bytes, and initializers end beyond them"));
        }

        return loaded;
    }

    /// <param name="name">The name under which an encrypted file was encrypted, or the name with the ending.</param>
    private MemoryFile Load(VersionFile file, string name, VersionContent content, long most, bool hasPath)
    {
        using var handle = open(file.RealPath);
        using var reader = new FileReader(handle, cancellationToken);
        var isEncrypted = file.Name.EndsWith(EncryptedHeader.Ending, StringComparison.Ordinal);
        content.IsSecret |= isEncrypted;
        var loaded = isEncrypted
            ? new Decryption(keys, model, _source.Version, TrimEnding(name), reader).Load(length => CheckLength(file.Name, length, most), hasPath)
            : LoadPlain(file.Name, reader, most, hasPath);
        try
        {
            Finish(file, reader);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    private static string TrimEnding(string name) =>
        name.EndsWith(EncryptedHeader.Ending, StringComparison.Ordinal) ? name[..^EncryptedHeader.Ending.Length] : name;

    private MemoryFile LoadPlain(string name, FileReader reader, long most, bool hasPath)
    {
        CheckLength(name, reader.Length, most);
        var file = MemoryFile.Create(reader.Length, isSecret: false, hasPath);
        try
        {
            const int piece = 1 << 30;
            for (long offset = 0; offset < file.Length; offset += piece)
            {
                reader.Fill(file.Slice(offset, (int)Math.Min(piece, file.Length - offset)));
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void CheckLength(string name, long length, long most)
    {
        if (length > most)
        {
            throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"'{name}' has {length} bytes; Models:{nameof(options.MaxFileBytes)} allows {most}"));
        }
    }

    /// <summary>A listed file must be the one that was signed; its hash stays for the registered one.</summary>
    private void Finish(VersionFile file, FileReader reader)
    {
        var hash = reader.Finish();
        _hashes[file.Name] = hash;
        if (_manifest is not null && _manifest.Files[file.Name].Hash != Convert.ToHexStringLower(hash))
        {
            throw Refusal.Of($"file {Refusal.Quote(file.Name)} is not the one that was signed");
        }
    }

    private void ReadLabels(VersionContent content)
    {
        var names = spec.Settings.Labels.IsEmpty ? [LabelFiles.DefaultFile] : spec.Settings.Labels.Values.Distinct(StringComparer.Ordinal);
        foreach (var name in names.Where(static name => Path.GetFileName(name) == name && name.Length > 0 && name != ".."))
        {
            if (_files.Find(name) is not { } file)
            {
                continue;
            }

            content.AddLabels(name, ReadText(file, "labels", MaxLabels));
        }
    }

    /// <param name="use">The setting that it is for.</param>
    /// <param name="most">Bytes that it may have.</param>
    private byte[] ReadText(VersionFile file, string use, int most)
    {
        using var handle = open(file.RealPath);
        using var reader = new FileReader(handle, cancellationToken);
        if (reader.Length > most)
        {
            throw Refusal.Of($"{use}: '{file.Name}' has {reader.Length} bytes, at most {most} are read");
        }

        var text = new byte[reader.Length];
        reader.Fill(text);
        Finish(file, reader);
        return text;
    }

    private void HashOthers()
    {
        foreach (var file in _files.All.Where(file => _manifest is not null && !_hashes.ContainsKey(file.Name) && !ManifestCheck.IsOwn(file.Name)))
        {
            using var handle = open(file.RealPath);
            using var reader = new FileReader(handle, cancellationToken);
            reader.Skip();
            Finish(file, reader);
        }
    }
}
