namespace Cluster.Gateway.ModelMesh;

/// <summary>
/// By which name a client must be allowed to change what it registers. A model is run by those who may run its new name, so its files must be the client's to give away.
/// </summary>
internal static class RegisteredPlace
{
    private const string Scheme = "://";

    /// <summary>What a path without a folder, or an address without a bucket, asks for: everything.</summary>
    private const string Everything = "*";

    /// <summary>The first folder of a path; the bucket of an address with the first segment of its key, <c>bucket/segment</c>.</summary>
    /// <param name="path">As a client sent it, which need not be a path that can be registered.</param>
    public static string NameOf(string path)
    {
        var scheme = path.IndexOf(Scheme, StringComparison.Ordinal);
        if (scheme <= 0 || path.AsSpan(0, scheme).ContainsAny('/', '\\'))
        {
            return Segments(path).FirstOrDefault() ?? Everything;
        }

        var address = path[(scheme + Scheme.Length)..];
        return address.StartsWith('/') || address.Length == 0 ? Everything : string.Join('/', Segments(address).Take(2));
    }

    private static IEnumerable<string> Segments(string path) => path.Split('/', '\\').Where(static part => part.Length > 0 && part != ".");
}
