using Cluster.Tests.Common;

namespace Cluster.Deploy.Support;

/// <summary>The checkout as a fresh clone would be: the files that are or would be tracked, and nothing that was built.</summary>
internal static class CleanClone
{
    public static async Task MakeAsync(string folder)
    {
        var files = await Command.RunAsync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], TestPaths.Root);
        foreach (var file in files.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var source = Path.Combine(TestPaths.Root, file);
            if (File.Exists(source))
            {
                var target = Path.Combine(folder, file);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(source, target);
            }
        }
    }
}
