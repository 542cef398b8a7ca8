using System.Reflection;
using Xunit;

namespace Cluster.Unit;

/// <summary>Which project knows which: <c>docs/architecture.md</c> shows the arrows.</summary>
public sealed class ArchitectureTests
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
}
