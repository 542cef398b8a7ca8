using System.CodeDom.Compiler;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging;
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

    /// <summary>A reader who meets a name finds one type. Classes of log messages are each their folder's own; generated code is left out.</summary>
    [Fact]
    public void Types_OfAllProjects_HaveNamesOfTheirOwn()
    {
        string[] projects = ["Cluster.Contracts", "Cluster.Metrics", "Cluster.Security", "Cluster.Grains", "Cluster.Gateway", "cluster", "cluster-silo"];
        var types = projects.SelectMany(static project => Assembly.Load(project).GetTypes())
            .Where(static type => !type.IsNested && type.Name != "Log" && type.Namespace?.StartsWith("Cluster.", StringComparison.Ordinal) == true)
            .Where(static type => !type.Namespace!.Contains(".Protocol", StringComparison.Ordinal) && type.GetCustomAttribute<GeneratedCodeAttribute>() is null)
            .ToList();

        Assert.InRange(types.Count, 500, 2000);
        Assert.Empty(types.GroupBy(static type => type.Name).Where(static same => same.Count() > 1).Select(static same => string.Join(" and ", same.Select(static type => type.FullName))));
    }

    /// <summary>An id in a log stands for one message.</summary>
    [Fact]
    public void LogMessages_HaveIdsOfTheirOwn()
    {
        string[] projects = ["Cluster.Contracts", "Cluster.Metrics", "Cluster.Security", "Cluster.Grains", "Cluster.Gateway", "cluster-silo"];
        var messages = projects.SelectMany(static project => Assembly.Load(project).GetTypes())
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(static method => (Name: $"{method.DeclaringType}.{method.Name}", method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(static message => message.EventId is not null)
            .ToList();

        Assert.InRange(messages.Count, 150, 1000);
        Assert.Empty(messages.GroupBy(static message => message.EventId).Where(static same => same.Count() > 1).Select(static same => $"{same.Key}: {string.Join(" and ", same.Select(static message => message.Name))}"));
    }

    /// <summary>The page lists the files of a request, in tables of folders and names, and tells how many the first table has.</summary>
    [Fact]
    public void Page_FilesOfARequest_AreThereAndCounted()
    {
        var page = File.ReadAllText(Path.Combine(TestPaths.Root, "docs", "architecture.md"));
        var section = page[page.IndexOf("## The files of a request", StringComparison.Ordinal)..page.IndexOf("## Failures", StringComparison.Ordinal)];
        var local = FilesOf(section[..section.IndexOf("A replica on another silo", StringComparison.Ordinal)]);

        Assert.Equal(int.Parse(Count().Match(section).Groups["count"].Value, CultureInfo.InvariantCulture), local.Distinct().Count());
        Assert.DoesNotContain(FilesOf(section), static file => !File.Exists(Path.Combine(TestPaths.Root, file)));
    }

    private static List<string> FilesOf(string section) =>
        [.. Folders().Matches(section).SelectMany(static folder => Names().Matches(folder.Groups["names"].Value)
            .Select(name => $"{folder.Groups["folder"].Value}/{name.Value}.cs"))];

    [GeneratedRegex(@"runs code of (?<count>\d+) files")]
    private static partial Regex Count();

    [GeneratedRegex("`(?<folder>[a-z]+(/[A-Za-z0-9]+)*)`: (?<names>[^`;|]+)")]
    private static partial Regex Folders();

    [GeneratedRegex(@"\bI?[A-Z][a-z]\w+")]
    private static partial Regex Names();
}
