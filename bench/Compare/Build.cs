using System.Diagnostics;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Compare;

/// <summary>A checkout that was built in Release.</summary>
/// <param name="Commit">As git describes it, "-dirty" behind it where files differ; empty outside of git.</param>
internal sealed record Build(string Root, string Commit)
{
    /// <summary>What is compiled ahead; commits before that was have only the build's output.</summary>
    public string SiloProgram
    {
        get
        {
            var output = Path.Combine(Root, "silo/bin/Release/net10.0");
            var published = Path.Combine(output, "publish/cluster-silo");
            return File.Exists(published) ? published : Path.Combine(output, "cluster-silo");
        }
    }

    public string BenchProgram => Path.Combine(Root, "bench/bin/Release/net10.0/cluster-bench");

    /// <exception cref="UsageException">There is no server in it.</exception>
    public static Build Find(string root)
    {
        var build = new Build(Path.GetFullPath(root), Describe(root));
        return File.Exists(build.SiloProgram) ? build : throw new UsageException($"there is no {build.SiloProgram}: build silo in Release there");
    }

    private static string Describe(string root)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", root, "describe", "--always", "--dirty", "--exclude", "*"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var commit = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return git.ExitCode == 0 ? commit : "";
    }
}
