using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Trust;

/// <summary>Reads a version's manifest: its signature first, then whether it is of this version, with these files and settings. Hashes are left to those who read the files.</summary>
internal sealed class ManifestCheck(ModelTrustOptions options, VersionFiles files, SignatureKeys keys, OpenModelFile open, CancellationToken cancellationToken)
{
    /// <summary>Whether a file is the manifest or its signature, which no manifest lists.</summary>
    public static bool IsOwn(string name) => name is Manifest.FileName or ManifestSignature.FileName;

    /// <returns>Null where the version has none, and need not.</returns>
    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE, with the reason.</exception>
    public Manifest? Read(string model, ReplicaSpec spec)
    {
        if (spec.Source.IsSingleFile)
        {
            return options.RequireSigned ? throw Refusal.Of("a model that is a single file has no signature, which --require-signed-models wants; its folder may have one") : null;
        }

        var (manifest, signature) = (files.Find(Manifest.FileName), files.Find(ManifestSignature.FileName));
        if (manifest is null && signature is null && !options.RequireSigned)
        {
            return null;
        }

        if (manifest is null || signature is null)
        {
            var missing = manifest is null ? Manifest.FileName : ManifestSignature.FileName;
            throw Refusal.Of(options.RequireSigned ? $"it has no {missing}, which --require-signed-models wants" : $"it has no {missing}, but its other half");
        }

        var text = Verify(manifest.Value, signature.Value);
        var errors = new JsonErrors();
        var read = Manifest.Read(text, errors) ?? throw Refusal.Of($"{Manifest.FileName}: {errors}");
        if (read.Model != model || read.Version != spec.Source.Version)
        {
            throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"{Manifest.FileName} is of model {Refusal.Quote(read.Model)} version {read.Version}"));
        }

        CompareFiles(read);
        CompareSettings(read, spec);
        return read;
    }

    private byte[] Verify(VersionFile manifest, VersionFile signature)
    {
        var text = ReadAll(manifest, Manifest.MaxSize);
        var errors = new JsonErrors();
        var read = ManifestSignature.Read(ReadAll(signature, ManifestSignature.MaxSize), errors) ?? throw Refusal.Of($"{ManifestSignature.FileName}: {errors}");
        return keys.Verify(read.KeyId, text, read.Value) switch
        {
            null => throw Refusal.Of($"{Manifest.FileName} is signed by the key {Refusal.Quote(read.KeyId)}, which is none of --model-keys"),
            false => throw Refusal.Of($"{Manifest.FileName} is not what was signed: its signature is wrong"),
            _ => text,
        };
    }

    private byte[] ReadAll(VersionFile file, int most)
    {
        using var handle = open(file.RealPath);
        using var reader = new FileReader(handle, cancellationToken);
        if (reader.Length > most)
        {
            throw Refusal.Of($"{file.Name} has {reader.Length} bytes, at most {most} are read");
        }

        var bytes = new byte[reader.Length];
        reader.Fill(bytes);
        return bytes;
    }

    private void CompareFiles(Manifest manifest)
    {
        foreach (var file in files.All.Where(static file => !IsOwn(file.Name)))
        {
            if (!manifest.Files.TryGetValue(file.Name, out var listed))
            {
                throw Refusal.Of($"file {Refusal.Quote(file.Name)} was not signed: {Manifest.FileName} does not list it");
            }

            if (listed.Size != file.Stat.Size)
            {
                throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"file {Refusal.Quote(file.Name)} is not the one that was signed: it has {file.Stat.Size} bytes, not {listed.Size}"));
            }
        }

        if (manifest.Files.Keys.FirstOrDefault(name => files.Find(name) is null) is { } missing)
        {
            throw Refusal.Of($"file {Refusal.Quote(missing)} is missing, which {Manifest.FileName} lists");
        }
    }

    private static void CompareSettings(Manifest manifest, ReplicaSpec spec)
    {
        if (spec.Source.HasOperatorSettings)
        {
            return;
        }

        var errors = new JsonErrors();
        var signed = manifest.Definition(errors) ?? throw Refusal.Of($"the settings in {Manifest.FileName} cannot be read: {errors}");
        if (signed.Revision != SettingsRevision.Of(spec.VersionPolicy, spec.Settings))
        {
            throw Refusal.Of("its settings are not those that were signed: model.json, or the key of its registration, says something else");
        }
    }
}

/// <summary>A signature over the bytes of a manifest, and the id of the key that it is by.</summary>
/// <param name="Value">ECDSA with SHA-256, in DER.</param>
internal sealed record ManifestSignature(string KeyId, byte[] Value)
{
    public const string FileName = "manifest.sig";
    public const int MaxSize = 4096;

    private static readonly FrozenDictionary<string, Action<Reading, JsonMember, JsonErrors>> Keys = new Dictionary<string, Action<Reading, JsonMember, JsonErrors>>
    {
        ["key"] = static (reading, member, errors) => reading.Key = JsonExpect.String(member, errors),
        ["signature"] = static (reading, member, errors) => reading.Value = ReadBytes(member, errors),
    }.ToFrozenDictionary();

    public static ManifestSignature Sign(ECDsa key, ReadOnlySpan<byte> manifest) =>
        new(SignatureKeys.IdOf(key), key.SignData(manifest, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <param name="errors">Gets everything that is wrong.</param>
    /// <returns>Null after an error.</returns>
    public static ManifestSignature? Read(ReadOnlySpan<byte> text, JsonErrors errors)
    {
        if (JsonTree.Parse(text, errors) is not { } top)
        {
            return null;
        }

        var reading = new Reading();
        JsonExpect.Object("the file", top, Keys, reading, errors);
        if (reading is { Key: { } key, Value: { } value } && !errors.Any)
        {
            return new ManifestSignature(key, value);
        }

        errors.Add(top.Line, "expected 'key' and 'signature'");
        return null;
    }

    public byte[] ToBytes()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("key", KeyId);
            json.WriteBase64String("signature", Value);
            json.WriteEndObject();
        }

        return text.WrittenSpan.ToArray();
    }

    private static byte[]? ReadBytes(JsonMember member, JsonErrors errors)
    {
        var bytes = new byte[MaxSize];
        if (member.Value.Kind == JsonValueKind.String && Convert.TryFromBase64String(member.Value.Text, bytes, out var length))
        {
            return bytes[..length];
        }

        errors.Expected(member, "base64");
        return null;
    }

    private sealed class Reading
    {
        public string? Key { get; set; }

        public byte[]? Value { get; set; }
    }
}
