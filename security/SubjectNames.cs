using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Security;

/// <summary>Names of a certificate's subject that .NET does not list.</summary>
public static class SubjectNames
{
    private const string AlternativeName = "2.5.29.17";
    private const int MaxNames = 100;

    private static readonly Asn1Tag Uri = new(TagClass.ContextSpecific, 6);

    /// <summary>The URIs among its subject's alternative names, as they are written. None where that extension cannot be read, or has more than 100 names.</summary>
    public static IReadOnlyList<string> UrisOf(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.FirstOrDefault(static extension => extension.Oid?.Value == AlternativeName);
        if (extension is null)
        {
            return [];
        }

        try
        {
            return Read(extension.RawData);
        }
        catch (AsnContentException)
        {
            return [];
        }
    }

    private static List<string> Read(byte[] bytes)
    {
        var uris = new List<string>();
        var outer = new AsnReader(bytes, AsnEncodingRules.DER);
        var names = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        for (var i = 0; names.HasData; i++)
        {
            if (i == MaxNames)
            {
                return [];
            }

            if (names.PeekTag().HasSameClassAndValue(Uri))
            {
                uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, Uri));
            }
            else
            {
                names.ReadEncodedValue();
            }
        }

        return uris;
    }
}
