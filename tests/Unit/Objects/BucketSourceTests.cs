using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>A repository in a bucket, from listing to listing.</summary>
public sealed class BucketSourceTests : IAsyncLifetime
{
    private StorageBench _bench = null!;
    private BucketSource _source = null!;

    private S3Server Server => _bench.Server;

    public async ValueTask InitializeAsync()
    {
        _bench = await StorageBench.StartAsync();
        _source = _bench.Repository();
        Put("a/1/model.onnx", "one");
        Put("a/2/model.onnx", "two");
        Put("b/1/net.onnx", "one");
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Models_InPages_AreAllThere()
    {
        Server.PageSize = 2;
        Put("a/notes.txt", "x");
        Put("loose.onnx", "x");
        Put("bad name\u2028/1/model.onnx", "x");

        var scan = await ScanAsync();

        Assert.Equal(["a", "b"], scan.Models.Select(static model => model.Name).Where(static name => name.Length == 1));
        Assert.Equal([1L, 2], Model(scan, "a").Versions.Select(static version => version.Version));
        Assert.Equal("s3://models/prod/b/1/net.onnx", Assert.Single(Model(scan, "b").Versions).Path);
        Assert.Equal(3, Model(scan, "a").Versions[0].Bytes);
        Assert.Contains(scan.Warnings, static warning => warning.Contains("notes.txt", StringComparison.Ordinal));
        Assert.Contains(scan.Warnings, static warning => warning.Contains("'loose.onnx' is ignored", StringComparison.Ordinal));
        Assert.True(Server.Calls.Count >= 3);
    }

    [Fact]
    public async Task Policy_NamesAVersionThatIsNotThere_IsWarnedOf()
    {
        Put("a/model.json", """{ "version_policy": { "specific": { "versions": [2, 9] } } }""");

        Assert.Equal(["model 'a': its version policy names version 9, which is not there"], (await ScanAsync()).Warnings);
    }

    [Fact]
    public async Task Listing_WithoutChange_IsTheSameInstancesAndReadsNothing()
    {
        Put("a/model.json", """{ "concurrency": 3 }""");
        var first = await ScanAsync();
        var calls = Server.Calls.Count;

        var second = await ScanAsync();

        Assert.All(first.Models, model => Assert.Contains(model, second.Models, ReferenceEqualityComparer.Instance));
        Assert.Equal(calls + 1, Server.Calls.Count);
        Assert.Equal(3, Model(second, "a").Settings.Concurrency);
    }

    [Fact]
    public async Task Changes_OfContentSettingsAndModels_AreNoticed()
    {
        var first = await ScanAsync();
        Put("a/2/model.onnx", "three");
        Put("a/model.json", """{ "concurrency": 3, "unknown": 1 }""");
        Server.Delete(StorageBench.Bucket, "prod/b/1/net.onnx");

        var second = await ScanAsync();

        Assert.Equal(Model(first, "a").Versions[0], Model(second, "a").Versions[0]);
        Assert.NotEqual(Model(first, "a").Versions[1].Revision, Model(second, "a").Versions[1].Revision);
        Assert.Contains("unknown key 'unknown'", Model(second, "a").Problem, StringComparison.Ordinal);
        Assert.DoesNotContain(second.Models, static model => model.Name == "b");
    }

    [Fact]
    public async Task Store_Away_KeepsWhatWasKnownWithAProblem()
    {
        var first = await ScanAsync();
        Server.Fault = static _ => new S3Fault { Status = 503 };

        var second = await ScanAsync();

        Assert.Equal(first.Models, second.Models);
        Assert.Equal("models: 's3://models/prod' cannot be listed: 's3://models/prod/': object storage asks for fewer requests; the models known before stay", Assert.Single(second.Problems));
    }

    [Fact]
    public async Task Start_WhileTheStoreIsAway_BeginsWithTheListingBefore()
    {
        Put("a/model.json", """{ "concurrency": 3 }""");
        var before = await ScanAsync();
        Server.Fault = static _ => new S3Fault { Status = 500 };
        _bench.Open();
        _source = _bench.Repository();

        var after = await ScanAsync();

        Assert.Equal(before.Models.Select(RepositoryVote.Fingerprint), after.Models.Select(RepositoryVote.Fingerprint));
    }

    [Theory]
    [InlineData(403, "AccessDenied", "object storage denies access")]
    [InlineData(404, "NoSuchBucket", "there is no such bucket")]
    public async Task Start_ThatMayNotList_SaysWhy(int status, string code, string reason)
    {
        Server.Fault = _ => new S3Fault { Status = status, Code = code };

        var refused = await Assert.ThrowsAsync<RepositoryConfigurationException>(ScanAsync);

        Assert.Equal($"models: 's3://models/prod' cannot be listed: 's3://models/prod/': {reason}", refused.Message);
    }

    [Fact]
    public async Task OneModel_IsListedAlone()
    {
        await ScanAsync();
        Put("b/2/model.onnx", "new");
        Put("c/1/model.onnx", "new");

        await _source.RefreshAsync("b", CancellationToken.None);
        var scan = _source.Scan("b");

        Assert.Equal("prod/b/", Server.Calls[^1].Key);
        Assert.Equal(2, Model(scan, "b").Versions.Length);
        Assert.Equal(["a", "b"], scan.Models.Select(static model => model.Name).Order(StringComparer.Ordinal));
    }

    private static ModelRegistration Model(SourceScan scan, string name) => scan.Models.Single(model => model.Name == name);

    private void Put(string key, string content) => Server.Put(StorageBench.Bucket, $"prod/{key}", System.Text.Encoding.UTF8.GetBytes(content));

    private async Task<SourceScan> ScanAsync()
    {
        await _source.RefreshAsync(null, TestContext.Current.CancellationToken);
        return _source.Scan();
    }
}
