using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cluster.Security;

/// <summary>The revocation lists of a file.</summary>
internal sealed class RevocationLists(IReadOnlyList<RevocationList> lists)
{
    private const string Label = "X509 CRL";

    public IReadOnlyList<RevocationList> Lists => lists;

    /// <param name="file">PEM, or one list in DER.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="CryptographicException">It holds no list, or one that is not understood.</exception>
    public static RevocationLists Read(string file)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{file}' cannot be read", exception);
        }

        try
        {
            return Parse(bytes);
        }
        catch (InvalidDataException exception)
        {
            throw new CryptographicException($"'{file}' holds no revocation list that can be used: {exception.Message}", exception);
        }
    }

    /// <exception cref="InvalidDataException">These are no lists, or one is not understood.</exception>
    public static RevocationLists Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IndexOf("-----BEGIN "u8) < 0)
        {
            return new RevocationLists([RevocationList.Parse(bytes.ToArray())]);
        }

        var lists = new List<RevocationList>();
        ReadOnlySpan<char> text = Encoding.ASCII.GetString(bytes);
        while (PemEncoding.TryFind(text, out var fields))
        {
            if (text[fields.Label].SequenceEqual(Label))
            {
                lists.Add(RevocationList.Parse(Convert.FromBase64String(text[fields.Base64Data].ToString())));
            }

            text = text[fields.Location.End..];
        }

        return lists.Count > 0 ? new RevocationLists(lists) : throw new InvalidDataException($"it has no block '{Label}'");
    }

    /// <summary>Asks the list of each issuer of a chain, from the top: a revoked authority vouches for no list.</summary>
    public TrustRefusal? Check(X509Chain chain, DateTimeOffset now)
    {
        for (var i = chain.ChainElements.Count - 2; i >= 0; i--)
        {
            if (Check(chain.ChainElements[i].Certificate, chain.ChainElements[i + 1].Certificate, now) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private TrustRefusal? Check(X509Certificate2 certificate, X509Certificate2 issuer, DateTimeOffset now)
    {
        var own = lists.Where(list => list.IsOf(issuer)).ToList();
        if (own.Count == 0)
        {
            return new TrustRefusal(TrustFault.NoRevocationList, "no revocation list of its issuer was given");
        }

        // Also in a list that is out of date, as a revoked certificate stays revoked.
        if (own.Exists(list => list.Names(certificate)))
        {
            return new TrustRefusal(TrustFault.Revoked, "revoked by its issuer");
        }

        return own.Exists(list => list.IsCurrent(now))
            ? null
            : new TrustRefusal(TrustFault.OutdatedRevocationList, $"the revocation list of its issuer is out of date since {own.Max(static list => list.NextUpdate):u}");
    }
}
