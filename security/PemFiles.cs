using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Security;

/// <summary>Reads PEM files; each exception names the file.</summary>
public static class PemFiles
{
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="CryptographicException">It holds no certificate, or one that is damaged.</exception>
    public static X509Certificate2Collection ReadCertificates(string file)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Read(file));
        }
        catch (CryptographicException exception)
        {
            throw new CryptographicException($"'{file}' holds a certificate that cannot be read", exception);
        }

        return certificates.Count > 0 ? certificates : throw new CryptographicException($"'{file}' holds no certificate in PEM form");
    }

    /// <summary>The first certificate of a file, with its key.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">A file is not what it should be, or the key is another certificate's.</exception>
    public static X509Certificate2 ReadPair(string certificate, string key)
    {
        ReadCertificates(certificate);
        try
        {
            return X509Certificate2.CreateFromPem(Read(certificate), Read(key));
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            throw new CryptographicException($"'{key}' does not hold the private key of '{certificate}' in PEM form, without a passphrase", exception);
        }
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{file}' cannot be read", exception);
        }
    }
}
