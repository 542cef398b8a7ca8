using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Trust;

/// <summary>The one failure of files that are not to be loaded: that of a load, with what was found and what would be right.</summary>
internal static class Refusal
{
    private const int MaxShown = 80;

    public static ServingException Of(string reason, Exception? cause = null)
    {
        var failure = Failure.Unavailable(reason, LoadFailures.RetryAfter);
        return cause is null ? new ServingException(failure) : new ServingException(failure, cause);
    }

    /// <summary>A text out of a file that is not trusted, on one line and not long.</summary>
    public static string Quote(string text) => $"'{JsonEncodedText.Encode(text.Length > MaxShown ? text[..MaxShown] + "..." : text)}'";
}
