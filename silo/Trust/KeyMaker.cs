using System.Security.Cryptography;
using System.Text;
using Cluster.Grains.Trust;

namespace Cluster.Silo.Trust;

/// <summary>Makes keys. What is secret can be read by its owner alone.</summary>
internal static class KeyMaker
{
    public const string SigningKey = "model-sign.key.pem";
    public const string SigningPublicKey = "model-sign.pub.pem";
    public const string EncryptionKey = "model-encrypt.key";

    /// <param name="purpose">sign or encrypt.</param>
    public static IEnumerable<string> Make(string purpose, string folder)
    {
        if (purpose is not ("sign" or "encrypt"))
        {
            throw new TrustUsageException($"'{purpose}' is no purpose of a key, expected sign or encrypt");
        }

        Directory.CreateDirectory(folder);
        return purpose == "sign" ? MakeSigningKey(folder) : MakeEncryptionKey(folder);
    }

    private static string[] MakeSigningKey(string folder)
    {
        var (secret, open) = (Path.Combine(folder, SigningKey), Path.Combine(folder, SigningPublicKey));
        if (File.Exists(open))
        {
            throw new IOException($"'{open}' is there already, and nothing is overwritten");
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        NewFile.Write(secret, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"), NewFile.OwnAlone);
        NewFile.Write(open, Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n"), NewFile.Readable);
        return [$"key {SignatureKeys.IdOf(key)}", $"{secret}: for sign --key", $"{open}: for --model-keys"];
    }

    private static string[] MakeEncryptionKey(string folder)
    {
        var path = Path.Combine(folder, EncryptionKey);
        var key = RandomNumberGenerator.GetBytes(EncryptionKeys.KeySize);
        try
        {
            NewFile.Write(path, Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"), NewFile.OwnAlone);
            return [$"key {EncryptionKeys.IdOf(key)}", $"{path}: for encrypt --key and --model-key-file"];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}
