using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Cli.Connection;

/// <summary>Where a gateway is, whom to trust for it, and who this client is.</summary>
/// <param name="Authorities">Null for those of the machine.</param>
/// <param name="Credential">An API key or token; null for none.</param>
internal sealed record ClusterConnection(Uri Server, X509Certificate2Collection? Authorities, X509Certificate2? Certificate, string? Credential)
{
    private const string DefaultServer = "http://127.0.0.1:8000";

    /// <summary>Options go before variables, and those before the profile.</summary>
    /// <exception cref="CommandFailure">Something of it is wrong.</exception>
    public static ClusterConnection Of(Profile given, string? profileName, Func<string, string?> variable)
    {
        var profile = Profile.Read(Profile.PathOf(variable), profileName ?? NotEmpty(variable("CLUSTER_PROFILE")));
        // A profile that is named says where its server is. A variable that was set for another server must not get the profile's key.
        var fromVariables = new Profile { Server = profileName is null ? NotEmpty(variable("CLUSTER_SERVER")) : null };
        var chosen = given.Or(fromVariables).Or(profile);
        var server = ServerOf(chosen.Server ?? DefaultServer);
        var isOther = given.Server is null && fromVariables.Server is not null && (profile.Server is null || ServerOf(profile.Server) != server);
        var credential = given.ApiKeyFile is null && profileName is null ? NotEmpty(variable("CLUSTER_KEY")) : null;
        credential ??= (given.ApiKeyFile ?? (isOther ? null : profile.ApiKeyFile)) is { } file ? ReadKey(file) : NotEmpty(variable("CLUSTER_KEY"));
        credential = credential?.Trim();
        if (credential is not null && server.Scheme == Uri.UriSchemeHttp && !server.IsLoopback)
        {
            throw CommandFailure.Usage($"the key would go to {server.Host} unencrypted, expected a server of https://");
        }

        if (credential?.Any(static letter => letter is not (> ' ' and <= '~')) == true)
        {
            throw CommandFailure.Usage("the key or token has spaces, line breaks or letters beyond ASCII, expected one word of the key file or of CLUSTER_KEY");
        }

        return new ClusterConnection(server, chosen.Ca is { } authority ? ReadAuthorities(authority) : null, CertificateOf(chosen), credential);
    }

    private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static Uri ServerOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var server) && (server.Scheme == Uri.UriSchemeHttp || server.Scheme == Uri.UriSchemeHttps) && server.UserInfo.Length == 0 && server.PathAndQuery == "/"
            ? server
            : throw CommandFailure.Usage($"the server is '{text}', expected an address such as https://gateway.example:8000, without a path and without a key");

    private static string ReadKey(string file) =>
        Readable(file, "the key file", File.ReadAllText).Trim() is { Length: > 0 } key && !key.Contains('\n', StringComparison.Ordinal)
            ? key
            : throw CommandFailure.Usage($"the key file {file} has to have one line, the API key or token alone");

    private static X509Certificate2Collection ReadAuthorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        Readable(file, "the file of authorities", path =>
        {
            authorities.ImportFromPemFile(path);
            return true;
        });
        return authorities.Count > 0 ? authorities : throw CommandFailure.Usage($"the file of authorities {file} has no certificate, expected PEM");
    }

    private static X509Certificate2? CertificateOf(Profile profile) => profile switch
    {
        { Cert: null, Key: null } => null,
        { Cert: { } certificate, Key: { } key } => Readable(certificate, "the certificate or its key", path => X509Certificate2.CreateFromPemFile(path, key)),
        _ => throw CommandFailure.Usage("a certificate needs its key, and a key its certificate: expected --cert with --cert-key, or cert with key in the profile"),
    };

    private static T Readable<T>(string file, string what, Func<string, T> read)
    {
        try
        {
            return read(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw CommandFailure.Usage($"{what} {file} cannot be read: {exception.Message}", exception);
        }
    }
}
