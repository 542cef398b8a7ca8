using Cluster.Grains.Objects;
using Cluster.Grains.Objects.Downloads;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.Objects;

public sealed class CacheFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Root_OfAFolderThatIsOwn_IsNumberedAndForItsOwnerAlone()
    {
        using var first = Open(_folder["cache"]);
        using var second = Open(_folder["cache"]);

        Assert.Equal((_folder["cache/0"], _folder["cache/1"]), (first.Root, second.Root));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, new DirectoryInfo(first.Versions).UnixFileMode);
    }

    /// <summary>Its owner could put versions there, which are served.</summary>
    [Fact]
    public void Root_OfAFolderOfAnotherUser_IsRefused()
    {
        using var folder = Open(ForeignFolder.In(_folder));

        var refused = Assert.Throws<IOException>(() => folder.Root);

        Assert.Contains("another user's", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("link")]
    [InlineData("others write")]
    public void Root_OfALinkOrAFolderThatOthersWrite_IsRefused(string how)
    {
        _folder.MakeFolder("elsewhere");
        if (how == "link")
        {
            _folder.Link("cache", _folder["elsewhere"]);
        }
        else if (!OperatingSystem.IsWindows())
        {
            _folder.MakeFolder("cache");
            new DirectoryInfo(_folder["cache"]).UnixFileMode |= UnixFileMode.OtherWrite;
        }

        using var folder = Open(_folder["cache"]);

        Assert.Throws<IOException>(() => folder.Root);
    }

    private static CacheFolder Open(string cache) => new(new ObjectStorageOptions { Cache = cache });
}
