using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository;
using Cluster.Tests.Common;
using Cluster.Unit.Repository;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>A config.json whose models lie in a bucket.</summary>
public sealed class ConfiguredObjectsTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StorageBench _bench = null!;
    private FileModelRepository _repository = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await StorageBench.StartAsync();
        Put("a/1/model.onnx", "one");
        Put("a/2/model.onnx", "two");
        Put("single.onnx", "one");
        var config = _folder.Write("config.json", """
            {"model_config_list": [
              {"config": {"name": "both", "base_path": "s3://models/prod/a/", "model_version_policy": {"all": {}}, "nireq": 3}},
              {"config": {"name": "single", "base_path": "s3://models/prod/single.onnx"}},
              {"config": {"name": "missing", "base_path": "s3://models/prod/nosuch"}},
              {"config": {"name": "outside", "base_path": "s3://others/prod/a"}}]}
            """);
        _repository = new FileModelRepository(
            new RepositoryOptions { Config = config }, NullLogger<FileModelRepository>.Instance, FixedClock.Late, models: null, new RegisteredObjects(_bench.Reader, _bench.Sources, FixedClock.Late));
    }

    public async ValueTask DisposeAsync()
    {
        await _bench.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Models_OfTheBucket_AreServedAsTheConfigurationSays()
    {
        var models = await ScanAsync();

        Assert.Equal(["s3://models/prod/a/1/model.onnx", "s3://models/prod/a/2/model.onnx"], models["both"].Versions.Select(static version => version.Path));
        Assert.Equal((VersionPolicy.All, 3, null), (models["both"].VersionPolicy, models["both"].Settings.Concurrency, models["both"].Problem));
        Assert.Equal("s3://models/prod/single.onnx", Assert.Single(models["single"].Versions).Path);
        Assert.Equal("there is no 's3://models/prod/nosuch'", models["missing"].Problem);
        Assert.Equal("'s3://others/prod/a' cannot be read: it is in no storage source of this server", models["outside"].Problem);

        var again = await ScanAsync();
        Assert.All(models, model => Assert.Same(model.Value, again[model.Key]));
    }

    [Fact]
    public async Task Store_Away_KeepsWhatWasKnown_AndFollowsWhenItIsBack()
    {
        var before = await ScanAsync();
        _bench.Server.Fault = static _ => new S3Fault { Status = 503 };

        var away = await ScanAsync();
        Assert.Equal(before["both"].Versions, away["both"].Versions);
        Assert.Contains("cannot be read: ", away["both"].Problem, StringComparison.Ordinal);

        _bench.Server.Fault = static _ => null;
        Put("a/3/model.onnx", "three");
        Assert.Equal([1L, 2, 3], (await ScanAsync())["both"].Versions.Select(static version => version.Version));
    }

    private void Put(string key, string content) => _bench.Server.Put(StorageBench.Bucket, $"prod/{key}", System.Text.Encoding.UTF8.GetBytes(content));

    private async Task<Dictionary<string, ModelRegistration>> ScanAsync()
    {
        await _repository.RefreshAsync(null, TestContext.Current.CancellationToken);
        return _repository.Scan().Models.ToDictionary(static model => model.Key, static model => model.Value);
    }
}
