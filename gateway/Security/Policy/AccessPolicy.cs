using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Gateway.Security.Policy;

/// <summary>Who may do what, as one <c>access.json</c> says. Immutable, so that a request sees one file's rules and no mix of two.</summary>
internal sealed class AccessPolicy
{
    private static readonly byte[] NoSalt = new byte[16];

    private readonly FrozenDictionary<string, ClientRights> _clients;
    private readonly FrozenDictionary<string, (ApiKey Key, ClientRights Client)> _keys;
    private readonly FrozenDictionary<string, ClientRights> _certificates;
    private readonly FrozenDictionary<string, ClientRights> _tokens;

    public AccessPolicy(IReadOnlyCollection<ClientRights> clients)
    {
        _clients = clients.ToFrozenDictionary(static client => client.Name, StringComparer.Ordinal);
        _keys = clients.SelectMany(static client => client.Keys.Select(key => (Key: key, Client: client)))
            .ToFrozenDictionary(static pair => pair.Key.Id, StringComparer.Ordinal);
        _certificates = By(clients, static client => client.Certificates);
        _tokens = By(clients, static client => client.Tokens);
    }

    /// <summary>A policy that knows no client.</summary>
    public static AccessPolicy Empty { get; } = new([]);

    public IEnumerable<ClientRights> Clients => _clients.Values;

    /// <summary>The client of that name; null for one that the file does not have, or has no more.</summary>
    public ClientRights? Find(string client) => _clients.GetValueOrDefault(client);

    /// <summary>The client of a token's subject.</summary>
    public ClientRights? FindToken(string subject) => _tokens.GetValueOrDefault(subject);

    /// <summary>The client of a certificate, by the first of its names that the file has.</summary>
    public ClientRights? FindCertificate(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (_certificates.TryGetValue(name, out var client))
            {
                return client;
            }
        }

        return null;
    }

    /// <summary>The client of an API key, <c>id.secret</c>. Takes as long for a known id as for an unknown one.</summary>
    public ClientRights? FindKey(ReadOnlySpan<char> text, DateTimeOffset now, out bool isExpired)
    {
        isExpired = false;
        var dot = text.IndexOf('.');
        if (dot <= 0)
        {
            return null;
        }

        var known = _keys.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..dot], out var found);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        ApiKey.Hash(known ? found.Key.Salt : NoSalt, text[(dot + 1)..], hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, known ? found.Key.Sha256 : hash[..^1]))
        {
            return null;
        }

        isExpired = found.Key.Expires <= now;
        return found.Client;
    }

    private static FrozenDictionary<string, ClientRights> By(IEnumerable<ClientRights> clients, Func<ClientRights, IEnumerable<string>> names) =>
        clients.SelectMany(client => names(client).Select(name => (Name: name, Client: client)))
            .ToFrozenDictionary(static pair => pair.Name, static pair => pair.Client, StringComparer.Ordinal);
}

/// <summary>A key as the file has it: the secret itself is nowhere.</summary>
/// <param name="Id">What stands before the dot.</param>
/// <param name="Salt">At least 16 random bytes.</param>
/// <param name="Sha256">SHA-256 of the salt and the secret's UTF-8. Secrets are 256 random bits: a slow hash would guard no better.</param>
/// <param name="Expires">From when on the key is none.</param>
public sealed record ApiKey(string Id, byte[] Salt, byte[] Sha256, DateTimeOffset Expires)
{
    private const int MaxSecret = 256;

    /// <summary>Writes the hash of a secret; of one that is too long to be one, a hash that no key has.</summary>
    public static void Hash(ReadOnlySpan<byte> salt, ReadOnlySpan<char> secret, Span<byte> hash)
    {
        if (secret.Length > MaxSecret || salt.Length > MaxSecret)
        {
            RandomNumberGenerator.Fill(hash);
            return;
        }

        Span<byte> bytes = stackalloc byte[4 * MaxSecret];
        salt.CopyTo(bytes);
        var length = salt.Length + Encoding.UTF8.GetBytes(secret, bytes[salt.Length..]);
        SHA256.HashData(bytes[..length], hash);
        CryptographicOperations.ZeroMemory(bytes[..length]);
    }
}
