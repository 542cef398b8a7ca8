using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Policy;
using Cluster.Gateway.Security.Tokens;
using Cluster.Gateway.Traffic;
using Cluster.Grains.Cache;
using Cluster.Grains.Cluster;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Placement;
using Cluster.Grains.Repository;
using Cluster.Metrics;
using Cluster.Silo.Hosting;
using Cluster.Silo.Repository;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed partial class DocumentationTests
{
    [Fact]
    public async Task Page_EveryFamilyOfOurs_IsInATableWithItsTypeAndLabels()
    {
        var rows = File.ReadLines(Path.Combine(Root(), "docs", "metrics.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length > 4 && cells[1].StartsWith('`'))
            .ToDictionary(cells => cells[1].Trim('`'), StringComparer.Ordinal);
        var scrape = await ScrapeAsync();

        foreach (var (family, type) in scrape.Types)
        {
            Assert.True(rows.TryGetValue(family, out var row), $"'{family}' is not in docs/metrics.md.");
            Assert.Equal(type, row[2]);
            var labels = scrape.Samples
                .Where(sample => sample.StartsWith(family, StringComparison.Ordinal))
                .SelectMany(sample => LabelName().Matches(sample).Select(match => match.Groups[1].Value))
                .Where(label => label != "le")
                .Distinct()
                .Order(StringComparer.Ordinal);
            Assert.Equal(labels, row[3].Split(", ").Where(label => label != "–"));
        }
    }

    [Theory]
    [InlineData("serving.json")]
    [InlineData("silos.json")]
    public async Task Dashboard_EveryExpression_UsesFamiliesThatAreDocumentedAndExported(string file)
    {
        using var dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Root(), "deploy", "dashboards", file)));
        var expressions = dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(static panel => panel.TryGetProperty("targets", out _))
            .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray())
            .Select(static target => target.GetProperty("expr").GetString()!);

        await AssertKnownAsync(expressions, atLeast: 15);
    }

    [Fact]
    public async Task AlertRules_EveryExpression_UsesFamiliesThatAreDocumentedAndExported() =>
        await AssertKnownAsync([await File.ReadAllTextAsync(Path.Combine(Root(), "deploy", "observability", "rules", "cluster.yml"))], atLeast: 15);

    private static async Task AssertKnownAsync(IEnumerable<string> expressions, int atLeast)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Root(), "docs", "metrics.md"));
        var scrape = await ScrapeAsync();
        var names = expressions.SelectMany(expression => FamilyName().Matches(expression).Select(match => match.Value)).ToHashSet(StringComparer.Ordinal);

        Assert.True(names.Count >= atLeast);
        foreach (var name in names)
        {
            var family = HistogramSuffix().Replace(name, "");
            Assert.Contains($"`{family}`", page, StringComparison.Ordinal);
            Assert.True(family.StartsWith("dotnet_", StringComparison.Ordinal) || OfRedis().IsMatch(family) || scrape.HasFamily(family), $"'{family}' is not exported.");
        }
    }

    private static async Task<Exposition> ScrapeAsync()
    {
        using var host = new MetricsHost(options => options.Meters.UnionWith([ProcessMetrics.MeterName, MemoryMetrics.MeterName, PeerMetrics.MeterName, RepositoryMetrics.MeterName]));
        _ = new ProcessMetrics(host.Meters);
        _ = new MemoryMetrics(host.Meters);
        new RequestMetrics(host.Registry).Ensure("m", 1);
        _ = new RoutingMetrics(host.Registry);
        _ = new AddressHolds(new LimitOptions(), host.Registry, TimeProvider.System, NullLogger<AddressHolds>.Instance);
        using var traffic = new TrafficSeries(new TrafficMetrics(host.Registry), "a");
        using var replica = new ReplicaMetricsFactory(host.Registry).Create("m", 1, streams: 1, slots: 1);
        new LoadMetrics(host.Registry).Succeeded("m", TimeSpan.Zero);
        _ = new CacheMetrics(host.Registry);
        _ = new ObjectMetrics(host.Registry);
        new ModelMetrics(host.Registry).Copies("m", 1);
        _ = new PlacementMetrics(host.Registry);
        _ = new ClusterMetrics(host.Registry);
        _ = SafeStart.Gauge(host.Registry);
        _ = new PeerRefusals(host.Registry, TimeProvider.System, NullLogger<PeerRefusals>.Instance);
        using var authority = TestAuthority.Create(TimeProvider.System);
        using var certificate = authority.Issue(new TestSubject([]));
        using var folder = new CertificateFolder();
        var (pem, key) = folder.Write("own", certificate);
        var files = new PeerTlsFiles(pem, key, folder.Write("ca.pem", authority.Pem), folder.Write("crl.pem", authority.RevocationListPem()), "cluster");
        using var tls = new PeerTls(files, TimeProvider.System, NullLogger<PeerTls>.Instance);
        _ = new PeerMetrics(host.Meters, tls);
        _ = new RepositoryMetrics(host.Meters, new RepositoryStanding());
        using var endpoint = new EndpointTls(new EndpointTlsFiles { Certificate = pem, Key = key }, new AccessOptions(), TimeProvider.System, NullLogger<EndpointTls>.Instance);
        var client = new ClientRights("client", [])
        {
            Keys = [new ApiKey("key", [], [], DateTimeOffset.UnixEpoch), new ApiKey("endless", [], [], DateTimeOffset.MaxValue)],
            Certificates = [],
            Tokens = [],
            Quota = ClientQuota.None,
        };
        var tokens = new TokenValidator(new TokenOptions(), TimeProvider.System);
        using var issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        tokens.Use(Gateway.Security.TestTokens.KeySet(issuer));
        _ = new AccessMetrics(host.Meters, new AccessControl(TimeProvider.System) { Policy = new AccessPolicy([client]) }, tokens, endpoint);
        return await host.ScrapeAsync();
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Cluster.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("No Cluster.sln above the tests.");
        }

        return directory;
    }

    [GeneratedRegex("[{,]([a-z_]+)=")]
    private static partial Regex LabelName();

    [GeneratedRegex(@"\b(ovms|cluster|process|dotnet|kestrel|http)_[a-z_]+\b")]
    private static partial Regex FamilyName();

    /// <summary>There where a process has a Redis.</summary>
    [GeneratedRegex("^cluster_(redis|replication)_")]
    private static partial Regex OfRedis();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSuffix();
}
