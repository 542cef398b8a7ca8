namespace Cluster.Bench.Framework;

/// <summary>Where the checkout is that this program was built in.</summary>
internal static class RepositoryRoot
{
    /// <exception cref="BenchmarkException">The program runs outside a checkout.</exception>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
            {
                return folder.FullName;
            }
        }

        throw new BenchmarkException("cluster-bench runs from the checkout that it was built in: use bench/run");
    }
}
