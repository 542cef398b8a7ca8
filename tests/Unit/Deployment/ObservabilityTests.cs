using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>The files of deploy/observability fit each other, the compose file and the documentation.</summary>
public sealed partial class ObservabilityTests
{
    private static readonly string Folder = Path.Combine(TestPaths.Root, "deploy", "observability");

    [Fact]
    public async Task Rules_FireWhereTheyShouldAndOnlyThere()
    {
        Requires.Promtool();

        var said = await Command.RunAsync("promtool", ["test", "rules", Path.Combine(Folder, "rules", "cluster.tests.yml")]);

        Assert.Contains("SUCCESS", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Alerts_EachIsTestedAndInTheDocumentation()
    {
        var alerts = Find(Alert(), "rules/cluster.yml");
        var rows = File.ReadLines(Path.Combine(TestPaths.Root, "docs", "operations.md")).ToList();

        Assert.True(alerts.Count > 15);
        Assert.Equal(alerts, Find(Tested(), "rules/cluster.tests.yml"));
        Assert.All(alerts, alert => Assert.Single(rows, row => row.StartsWith($"| `{alert}` |", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ComposeFile_HasTheServicesThatAreScrapedAndTheFilesThatAreMounted()
    {
        var compose = await File.ReadAllTextAsync(Path.Combine(TestPaths.Root, "docker-compose.yml"), TestContext.Current.CancellationToken);
        var secured = await File.ReadAllTextAsync(Path.Combine(TestPaths.Root, "deploy", "secured", "compose.yml"), TestContext.Current.CancellationToken);
        var scraped = Find(Name(), "prometheus.yml").SelectMany(static names => names.Split(", ")).ToList();

        Assert.Equal(["gateway", "silo", "silo-openvino"], scraped.Order());
        Assert.Equal(scraped, Find(Name(), "../secured/prometheus.yml").SelectMany(static names => names.Split(", ")));
        Assert.All(scraped, service => Assert.Matches($@"(?m)^  {service}:", compose));
        var mounts = Mount().Matches(compose + secured).Select(static mount => mount.Groups[1].Value).ToList();
        Assert.True(mounts.Count >= 5);
        Assert.All(mounts, mount => Assert.True(Path.Exists(Path.Combine(TestPaths.Root, mount)), $"{mount} is mounted and not there"));
    }

    private static SortedSet<string> Find(Regex what, string file) =>
        new(what.Matches(File.ReadAllText(Path.Combine(Folder, file))).Select(static match => match.Groups[1].Value), StringComparer.Ordinal);

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"alertname: (\w+)")]
    private static partial Regex Tested();

    [GeneratedRegex(@"names: \[([^\]]+)\]")]
    private static partial Regex Name();

    [GeneratedRegex(@"- \./(deploy/(?:observability|dashboards|secured)[^:]*):")]
    private static partial Regex Mount();
}
