namespace Cluster.Silo.Clustering;

/// <summary>Reads the files that options name for the connection to Redis.</summary>
internal static class RedisFiles
{
    /// <exception cref="IOException">It cannot be read, or is empty.</exception>
    public static string ReadPassword(string file) => File.ReadAllText(file).Trim() is { Length: > 0 } password
        ? password
        : throw new IOException($"'{file}' is empty");
}
