namespace Cluster.Grains.Repository.Files;

/// <summary>Why a file could not be read, without the absolute path that the exception's own message carries.</summary>
internal static class IoReason
{
    public static bool IsFileError(Exception exception) => exception is IOException or UnauthorizedAccessException;

    public static string Of(Exception exception) => exception switch
    {
        UnauthorizedAccessException => "permission denied",
        FileNotFoundException or DirectoryNotFoundException => "not found",
        _ => $"input/output error {exception.HResult}",
    };
}
