using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Objects;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>Sources of storage: their file, and what clients may register from them.</summary>
public sealed class StorageFileTests : IAsyncLifetime
{
    private StorageBench _bench = null!;

    public async ValueTask InitializeAsync() => _bench = await StorageBench.StartAsync();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public void File_OfSources_IsRead()
    {
        var sources = StorageFile.Parse(
            """{ "one": { "type": "s3", "bucket": "models" }, "two": { "bucket": "b-2", "prefix": "x/y/", "endpoint": "https://minio:9000", "region": "r", "path_style": true, "credentials_file": "/c", "profile": "p" } }""",
            new ObjectStorageOptions());

        Assert.Equal(
            [
                new StorageSource("one", new ObjectAddress("models", ""), null, "us-east-1", false, StorageCredentials.Chain),
                new StorageSource("two", new ObjectAddress("b-2", "x/y"), new Uri("https://minio:9000"), "r", true, new StorageCredentials(null, null, "/c", "p")),
            ],
            sources);
    }

    [Theory]
    [InlineData("[]", "an object with a member for each storage source")]
    [InlineData("""{ "a": { "type": "gcs", "bucket": "models" } }""", "'a.type' is \"gcs\"; expected \"s3\"")]
    [InlineData("""{ "a": { "bucket": "models", "secret": "x" } }""", "unknown key 'a.secret'")]
    [InlineData("""{ "a": { "bucket": "m" } }""", "no bucket and prefix that can be read")]
    [InlineData("""{ "a": { "bucket": "models", "prefix": "../x" } }""", "no bucket and prefix that can be read")]
    [InlineData("""{ "a": { "bucket": "models", "access_key_file": "/x" } }""", "expected both or neither")]
    [InlineData("""{ "a": { "bucket": "models", "profile": "x" } }""", "'profile' without 'credentials_file'")]
    [InlineData("""{ "a": { "bucket": "models", "endpoint": "http://minio:9000" } }""", "'a.endpoint' cannot be used")]
    [InlineData("""{ "a": { "bucket": "models", "endpoint": "https://user:pw@minio:9000" } }""", "'a.endpoint' cannot be used")]
    public void File_ThatIsWrong_SaysWhatIsAndShowsNoPassword(string text, string problem)
    {
        var refused = Assert.Throws<FormatException>(() => StorageFile.Parse(text, new ObjectStorageOptions()));

        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pw", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:9000", false, true)]
    [InlineData("http://[::1]:9000", false, true)]
    [InlineData("http://localhost:9000", false, true)]
    [InlineData("http://10.0.0.1:9000", false, false)]
    [InlineData("http://10.0.0.1:9000", true, true)]
    [InlineData("https://minio", false, true)]
    [InlineData("https://minio/path", false, false)]
    [InlineData("ftp://minio", true, false)]
    public void Endpoint_WithoutTls_IsForLoopbackOrInsecure(string text, bool insecure, bool isTaken) => Assert.Equal(isTaken, ObjectStorageOptions.EndpointOf(text, insecure) is not null);

    [Fact]
    public async Task File_Changed_CountsFromTheNextLookAndABrokenOneLeavesTheFormer()
    {
        var path = _bench.Options.Sources!;
        Assert.NotNull(_bench.Sources.Named("minio"));
        await File.WriteAllTextAsync(path, """{ "other": { "bucket": "elsewhere" } }""", TestContext.Current.CancellationToken);
        Assert.Null(_bench.Sources.Named("minio"));
        Assert.Equal("other", _bench.Sources.Find(ObjectAddress.Parse("s3://elsewhere/x")!)?.Name);
        await File.WriteAllTextAsync(path, "{", TestContext.Current.CancellationToken);

        Assert.NotNull(_bench.Sources.Named("other"));
        Assert.NotNull(_bench.Sources.Named("other"));
        Assert.Single(_bench.Logged, static line => line.StartsWith("Kept the former storage sources", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("s3://models/prod/reg", "", null)]
    [InlineData("s3://models/prod/reg/7/model.onnx", "", null)]
    [InlineData("reg", """{ "storage_key": "minio", "bucket": "models", "model_type": { "name": "onnx" }, "concurrency": 2 }""", null)]
    [InlineData("reg", """{ "storage_key": "minio", "storage_params": { "type": "s3", "bucket": "models" } }""", null)]
    [InlineData("reg", """{ "storage_key": "minio", "bucket": "others" }""", "the storage source 'minio' is not for the bucket 'others'")]
    [InlineData("none", """{ "storage_key": "minio" }""", "there is no 's3://models/prod/none'")]
    [InlineData("s3://models/other/reg", "", "'s3://models/other/reg' is in no storage source of this server")]
    public async Task Registration_OfAnAddressOrStorageKey_IsWhatItHolds(string path, string key, string? problem)
    {
        _bench.Server.Put(StorageBench.Bucket, "prod/reg/7/model.onnx", [1, 2, 3]);
        using var reader = new RegisteredModelReader(new RegistryOptions(), FixedClock.Late, new RegisteredObjects(_bench.Reader, _bench.Sources, FixedClock.Late));
        var info = new RegisteredInfo("onnx", path, key);
        RegisteredModelRules.Check("m", info);
        reader.RequireRoot(info);

        var registration = await reader.ReadAsync("m", info);

        Assert.Equal(RegistrationOrigin.Registered, registration.Origin);
        Assert.Equal(problem, registration.Problem);
        if (problem is null)
        {
            Assert.Equal("s3://models/prod/reg/7/model.onnx", Assert.Single(registration.Versions).Path);
            var spec = new ReplicaSpec(registration.Versions[0], registration.Settings, registration.VersionPolicy);
            using var local = await _bench.Fetch.FetchAsync(spec, null, TestContext.Current.CancellationToken).Soon();
            Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(local.Spec.Source.Path, TestContext.Current.CancellationToken));
            Assert.Equal(key.Contains("concurrency", StringComparison.Ordinal), registration.Settings.Concurrency == 2);
        }
    }

    [Fact]
    public void Registration_WithAStorageKeyThatIsNotThere_IsRefused()
    {
        using var reader = new RegisteredModelReader(new RegistryOptions { Root = "/" }, FixedClock.Late, new RegisteredObjects(_bench.Reader, _bench.Sources, FixedClock.Late));

        var refused = Assert.Throws<ServingException>(() => reader.RequireRoot(new RegisteredInfo("onnx", "x", """{ "storage_key": "else" }""")));

        Assert.Equal(StatusCode.FailedPrecondition, refused.Failure.Code);
        Assert.Equal("this server has no storage source 'else' (--storage)", refused.Failure.Message);
    }

    [Theory]
    [InlineData("s3://models", "")]
    [InlineData("s3://models/a/../b", "")]
    [InlineData("gs://models/a", "")]
    [InlineData("s3://models/a", """{ "storage_key": "minio" }""")]
    [InlineData("a", """{ "storage_key": "minio", "unknown": 1 }""")]
    public void Registration_ThatCannotBeRight_IsInvalid(string path, string key)
    {
        var refused = Assert.Throws<ServingException>(() => RegisteredModelRules.Check("m", new RegisteredInfo("onnx", path, key)));

        Assert.Equal(StatusCode.InvalidArgument, refused.Failure.Code);
    }
}
