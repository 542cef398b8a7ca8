using System.Buffers;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Trust;

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
