using System.Reflection;
using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit;

/// <summary>Which project knows which: <c>docs/architecture.md</c> shows the arrows.</summary>
public sealed partial class ArchitectureTests
{
    [Theory]
    [InlineData("Cluster.Contracts")]
    [InlineData("Cluster.Metrics", "Cluster.Contracts")]
    [InlineData("Cluster.Security", "Cluster.Contracts")]
    [InlineData("Cluster.Grains", "Cluster.Contracts", "Cluster.Metrics")]
    [InlineData("Cluster.Gateway", "Cluster.Contracts", "Cluster.Metrics", "Cluster.Security")]
    [InlineData("cluster")]
    [InlineData("cluster-silo", "Cluster.Contracts", "Cluster.Dashboard", "Cluster.Gateway", "Cluster.Grains", "Cluster.Metrics", "Cluster.Security")]
    public void Project_KnowsOnlyWhatLiesBelow(string project, params string[] below) =>
        Assert.Empty(Assembly.Load(project).GetReferencedAssemblies()
            .Select(static reference => reference.Name!)
            .Where(static name => name.StartsWith("Cluster.", StringComparison.Ordinal))
            .Except(below));

    [Fact]
    public void Contracts_KnowNoEngineThatServes() =>
        Assert.DoesNotContain(
            Assembly.Load("Cluster.Contracts").GetReferencedAssemblies(),
            static reference => reference.Name is "Orleans.Runtime" or "StackExchange.Redis" or "Microsoft.ML.OnnxRuntime" or "Grpc.AspNetCore.Server");

    /// <summary>The page lists the files of a request, in tables of folders and names.</summary>
    [Fact]
    public void Page_FilesOfARequest_AreThere()
    {
        var page = File.ReadAllText(Path.Combine(TestPaths.Root, "docs", "architecture.md"));
        var section = page[page.IndexOf("## The files of a request", StringComparison.Ordinal)..page.IndexOf("## Failures", StringComparison.Ordinal)];
        var files = Folders().Matches(section).SelectMany(static folder => Names().Matches(folder.Groups["names"].Value)
            .Select(name => $"{folder.Groups["folder"].Value}/{name.Value}.cs")).ToList();

        Assert.InRange(files.Count, 60, 100);
        Assert.DoesNotContain(files, static file => !File.Exists(Path.Combine(TestPaths.Root, file)));
    }

    [GeneratedRegex("`(?<folder>[a-z]+(/[A-Za-z0-9]+)?)`: (?<names>[^`;|]+)")]
    private static partial Regex Folders();

    [GeneratedRegex(@"\b[A-Z][a-z]\w+")]
    private static partial Regex Names();
}
