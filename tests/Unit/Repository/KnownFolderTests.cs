using Cluster.Grains.Repository.Files;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class KnownFolderTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory().FullName;
    private readonly KnownFolder _folder = new(new ManualTimeProvider());

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Names_SameStat_AreNotReadAgain()
    {
        File.WriteAllText(Path.Combine(_path, "a"), "");
        var stat = Stat() with { Inode = 9 };
        Assert.Equal(["a"], _folder.Names(_path, stat));
        File.WriteAllText(Path.Combine(_path, "b"), "");

        Assert.Equal(["a"], _folder.Names(_path, stat));
    }

    [Fact]
    public void Names_OtherStat_AreRead()
    {
        var before = _folder.Names(_path, Stat());
        File.WriteAllText(Path.Combine(_path, "a"), "");

        Assert.Empty(before);
        Assert.Equal(["a"], _folder.Names(_path, Stat()));
    }

    [Fact]
    public void Names_ATenthLookAtTheSameStat_AreRead()
    {
        var stat = Stat() with { Inode = 9 };
        _folder.Names(_path, stat);
        File.WriteAllText(Path.Combine(_path, "a"), "");

        var looks = Enumerable.Range(0, 10).Select(_ => _folder.Names(_path, stat).Count).ToList();

        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], looks);
    }

    [Fact]
    public void Names_AfterForget_AreRead()
    {
        var stat = Stat() with { Inode = 9 };
        _folder.Names(_path, stat);
        File.WriteAllText(Path.Combine(_path, "a"), "");
        _folder.Forget();

        Assert.Equal(["a"], _folder.Names(_path, stat));
    }

    [Fact]
    public void Names_FolderThatChangedJustNow_AreReadAgain()
    {
        var time = new ManualTimeProvider();
        var folder = new KnownFolder(time);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000;
        var stat = Stat() with { Inode = 9, Modified = now, Changed = now };
        folder.Names(_path, stat);
        File.WriteAllText(Path.Combine(_path, "a"), "");

        Assert.Equal(["a"], folder.Names(_path, stat));
    }

    [Fact]
    public void Names_PlatformWithoutChangeTimes_AreReadEachTime()
    {
        var stat = Stat() with { Changed = 0 };
        _folder.Names(_path, stat);
        File.WriteAllText(Path.Combine(_path, "a"), "");

        Assert.Equal(["a"], _folder.Names(_path, stat));
    }

    private FileStat Stat() => FileStat.Read(_path, followLinks: false)!.Value;
}
