namespace Cluster.Deploy.Support;

/// <summary>What was measured, for readers of the run's last lines.</summary>
internal static class Figures
{
    private static readonly Lock Gate = new();

    /// <summary>Adds a line to the file that <c>CLUSTER_FIGURES</c> names, if it does.</summary>
    public static string Report(string line)
    {
        if (Environment.GetEnvironmentVariable("CLUSTER_FIGURES") is { Length: > 0 } file)
        {
            lock (Gate)
            {
                File.AppendAllText(file, line + "\n");
            }
        }

        return line;
    }
}
