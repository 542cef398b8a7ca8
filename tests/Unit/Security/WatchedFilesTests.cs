using Cluster.Security;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Security;

public sealed class WatchedFilesTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogSink _log = new();
    private readonly CertificateFolder _folder = new();
    private int _calls;

    public void Dispose()
    {
        _folder.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void Change_OfSeveralFilesBetweenTwoLooks_IsOneCall()
    {
        using var files = Watch(() => _calls++, "a", "b");
        _folder.Write("a", "1");
        _folder.Write("b", "1");
        Assert.Equal(0, _calls);

        Tick();
        Tick();

        Assert.Equal(1, _calls);
    }

    /// <summary>As Kubernetes changes a volume: the files are links into a folder that is a link, and that alone is swapped; length and time are the same.</summary>
    [Fact]
    public void Change_OfALinkOnTheWay_IsSeen()
    {
        foreach (var generation in (string[])["first", "second"])
        {
            Directory.CreateDirectory(_folder[generation]);
            File.WriteAllText(_folder[$"{generation}/a"], "1");
            File.SetLastWriteTimeUtc(_folder[$"{generation}/a"], new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        Directory.CreateSymbolicLink(_folder["data"], "first");
        File.CreateSymbolicLink(_folder["a"], "data/a");
        using var files = Watch(() => _calls++, "a");
        Tick();
        Assert.Equal(0, _calls);

        Directory.CreateSymbolicLink(_folder["new"], "second");
        Directory.Delete(_folder["data"]);
        Directory.Move(_folder["new"], _folder["data"]);
        Tick();
        Tick();

        Assert.Equal(1, _calls);
    }

    [Fact]
    public void Links_ThatLeadInACircle_AreNoFile()
    {
        File.CreateSymbolicLink(_folder["a"], "b");
        File.CreateSymbolicLink(_folder["b"], "a");
        using var files = Watch(() => _calls++, "a");

        Tick();

        Assert.Equal(0, _calls);
    }

    /// <summary>What stood in the way may be gone without another change of the file, such as descriptors that were used up.</summary>
    [Fact]
    public void Call_ThatThrows_IsLoggedOnceAMinuteAndTriedAgainUntilItDoesNot()
    {
        var isWrong = true;
        using var files = Watch(() => _ = ++_calls > 0 && isWrong ? throw new InvalidDataException("it is wrong") : 0, "a");
        _folder.Write("a", "1");
        Tick();
        Tick();
        Assert.Equal(2, _calls);
        var problem = Assert.Single(_log.Problems);
        Assert.Contains(_folder["a"], problem, StringComparison.Ordinal);
        Assert.Contains("it is wrong", problem, StringComparison.Ordinal);

        isWrong = false;
        Tick();
        Tick();

        Assert.Equal(3, _calls);
    }

    [Fact]
    public void Disposed_LooksNoMore()
    {
        Watch(() => _calls++, "a").Dispose();
        _folder.Write("a", "1");

        Tick();

        Assert.Equal(0, _calls);
    }

    private WatchedFiles Watch(Action changed, params string[] names) => new([.. names.Select(name => _folder[name])], changed, _time, _log.CreateLogger("files"));

    private void Tick() => _time.Advance(WatchedFiles.Interval);
}
