using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Cluster.Unit.Trust;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>Models out of object storage are held to the same as those of folders.</summary>
public sealed class SignedObjectsTests : IAsyncLifetime
{
    private readonly TrustBench _trust = new();
    private StorageBench _bench = null!;

    public async ValueTask InitializeAsync() => _bench = await StorageBench.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _bench.DisposeAsync();
        _trust.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Model_SignedAndEncrypted_IsReadAndAChangedOneIsRefused(bool isChanged)
    {
        _trust.AddExternal("m", 1, 1, 2, 3);
        _trust.Encrypt("m");
        _trust.Sign("m");
        if (isChanged)
        {
            _trust.Flip("m/1/w.bin.enc", -1);
        }

        _bench.Server.PutFolder(StorageBench.Bucket, "prod/m", _trust["m"]);
        using var local = await _bench.Fetch.FetchAsync(await _bench.SpecAsync("m"), null, TestContext.Current.CancellationToken).Soon();

        if (isChanged)
        {
            var refused = Assert.Throws<ServingException>(() => _trust.Read("m", local.Spec));
            Assert.Contains("w.bin.enc", refused.Failure.Message, StringComparison.Ordinal);
            return;
        }

        using var content = _trust.Read("m", local.Spec);
        Assert.True(content.IsSecret);
        Assert.Equal("w.bin", Assert.Single(content.External).Key);
    }
}
