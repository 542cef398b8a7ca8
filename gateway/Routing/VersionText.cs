using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Routing;

/// <summary>Versions as clients write them: digits alone, no leading zero, as the repository's folders.</summary>
internal static class VersionText
{
    private const int MaxLength = 19;

    /// <param name="version">Not empty.</param>
    public static bool IsNumber(string version) => version[0] != '0' && version.Length <= MaxLength && !version.AsSpan().ContainsAnyExceptInRange('0', '9');

    /// <summary>INVALID_ARGUMENT for what is no version.</summary>
    public static Failure NotANumber(string version, string model) => Failure.InvalidArgument(
        $"failed to get model version from specified version string '{Shorten(version)}' for model '{Shorten(model)}': a version is a positive integer such as 1; " +
        "leave it out for the version that the model serves by default");

    /// <summary>Names and versions of requests in errors.</summary>
    public static string Shorten(string text) => text.Length <= 256 ? text : text[..256] + "…";
}
