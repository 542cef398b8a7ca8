using System.Security.Cryptography.X509Certificates;
using Cluster.Security;

namespace Cluster.Silo.Transport;

/// <summary>
/// Who a process of a cluster is, by its certificate: a URI among the alternative names, <c>cluster://&lt;cluster id&gt;/silo</c> or <c>…/gateway</c>. Addresses say nothing, as
/// silos move; a certificate of the same authority that a client has, or a process of another cluster, is not inside.
/// </summary>
internal static class PeerIdentity
{
    private const string Scheme = "cluster://";

    private static readonly string[] Roles = ["silo", "gateway"];

    /// <returns>Null: it is a process of this cluster. Else the mistake, for the log.</returns>
    public static string? Check(X509Certificate2 certificate, string clusterId)
    {
        var names = SubjectNames.UrisOf(certificate);
        if (names.Any(name => Roles.Any(role => name == $"{Scheme}{clusterId}/{role}")))
        {
            return null;
        }

        var expected = string.Join(" or ", Roles.Select(role => $"{Scheme}{clusterId}/{role}"));
        var own = names.FirstOrDefault(static name => name.StartsWith(Scheme, StringComparison.Ordinal));
        return own is null ? $"its certificate names no role in a cluster, expected the URI {expected}" : $"its certificate is that of {Printable(own)}, expected the URI {expected}";
    }

    /// <summary>An authority that signs for others may be made to sign anything.</summary>
    private static string Printable(string name) => string.Concat(name.Take(200).Select(static letter => char.IsControl(letter) ? '?' : letter));
}
