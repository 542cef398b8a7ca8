using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Cluster.Security;

/// <summary>
/// The certificate that this process shows, with its chain and key, from PEM files, which are read again when they change. Files that do not fit each other are logged,
/// and the certificate before stays in force. Safe from any thread.
/// </summary>
public sealed class CertificateFiles : IDisposable
{
    private readonly string _certificate;
    private readonly string _key;
    private readonly WatchedFiles _files;
    private volatile SslStreamCertificateContext _current;

    /// <param name="certificate">The certificate first, then those between it and its authority.</param>
    /// <param name="key">Its private key, without a passphrase.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">The files hold no certificate with its key.</exception>
    public CertificateFiles(string certificate, string key, TimeProvider time, ILogger logger)
    {
        _certificate = certificate;
        _key = key;
        // Looked at before they are read: no change is missed.
        _files = new WatchedFiles([certificate, key], () => _current = Read(), time, logger);
        try
        {
            _current = Read();
        }
        catch
        {
            _files.Dispose();
            throw;
        }
    }

    /// <summary>For the next handshake. Connections keep the certificate that they began with, so an old one is left to the garbage collector.</summary>
    public SslStreamCertificateContext Current => _current;

    /// <summary>When the current certificate ends.</summary>
    public DateTimeOffset NotAfter => _current.TargetCertificate.NotAfter;

    public void Dispose() => _files.Dispose();

    private SslStreamCertificateContext Read()
    {
        var chain = PemFiles.ReadCertificates(_certificate);
        var own = PemFiles.ReadPair(_certificate, _key);
        chain.RemoveAt(0);
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }
}

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
