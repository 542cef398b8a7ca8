using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Silo.Clustering;

/// <summary>Reads the files that options name for the connection to Redis.</summary>
internal static class RedisFiles
{
    /// <exception cref="IOException">It cannot be read, or is empty.</exception>
    public static string ReadPassword(string file) => File.ReadAllText(file).Trim() is { Length: > 0 } password
        ? password
        : throw new IOException($"'{file}' is empty");

    /// <exception cref="CryptographicException">It holds no certificate.</exception>
    public static X509Certificate2Collection ReadAuthorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"'{file}' holds no certificate");
    }

    /// <exception cref="CryptographicException">They hold no certificate and its key.</exception>
    public static X509Certificate2 ReadCertificate(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (ArgumentException exception)
        {
            throw new CryptographicException($"'{key}' is not the key of '{certificate}'", exception);
        }
    }
}
