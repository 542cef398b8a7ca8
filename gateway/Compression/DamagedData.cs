using System.IO.Compression;

namespace Cluster.Gateway.Compression;

/// <summary>How the inflating streams say that what they read is no compressed data.</summary>
internal static class DamagedData
{
    /// <summary>
    /// Mostly by <see cref="InvalidDataException"/>; where the header asks for a preset dictionary, by an internal <see cref="IOException"/> of theirs,
    /// which only its assembly tells from one of the connection.
    /// </summary>
    public static bool IsReportedBy(Exception exception) =>
        exception is InvalidDataException || (exception is IOException && exception.GetType().Assembly == typeof(DeflateStream).Assembly);
}
