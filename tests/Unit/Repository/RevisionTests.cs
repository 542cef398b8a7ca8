using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Versions;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class RevisionTests : RepositoryTestBase
{
    [Fact]
    public void Scan_NothingChanged_ReturnsTheSameSnapshot()
    {
        Models.Write("m/1/model.onnx", "x");
        var repository = Open();

        Assert.Same(repository.Scan(), repository.Scan());
    }

    [Fact]
    public void Scan_ContentChanged_OnlyThatModelHasAnotherRevision()
    {
        Models.Write("a/1/model.onnx", "x");
        Models.Write("m/1/model.onnx", "x");
        var repository = Open();
        var before = repository.Scan();

        Models.Write("m/1/model.onnx", "other");
        var after = repository.Scan();

        Assert.NotEqual(Only(before).Revision, Only(after).Revision);
        Assert.Same(before.Models["a"], after.Models["a"]);
    }

    [Fact]
    public void Scan_FileTouched_KeepsTheInstance()
    {
        var path = Models.Write("m/1/model.onnx", "x");
        var repository = Open();
        var before = repository.Scan();

        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.Same(before, repository.Scan());
    }

    [Fact]
    public void Scan_FileReplacedWithSameSizeAndTime_HasAnotherRevision()
    {
        if (!LinuxStat.IsAvailable)
        {
            return;
        }

        var time = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(Models.Write("m/1/model.onnx", "one"), time);
        var repository = Open();
        var before = repository.Scan();

        File.SetLastWriteTimeUtc(Models.Write("new", "two"), time);
        File.Move(Models["new"], Models["m/1/model.onnx"], overwrite: true);

        Assert.NotEqual(Only(before).Revision, Only(repository.Scan()).Revision);
    }

    [Theory]
    [InlineData("model.data")]
    [InlineData("weights/layer0.bin")]
    [InlineData("a/b/c/deep.bin")]
    public void Scan_ExternalDataAddedAndChanged_HasAnotherRevisionEachTime(string file)
    {
        Models.Write("m/1/model.onnx", "x");
        var repository = Open();
        var revisions = new List<string> { Only(repository.Scan()).Revision };

        foreach (var content in new[] { "a", "bb" })
        {
            Models.Write($"m/1/{file}", content);
            repository.Scan();
            revisions.Add(Only(repository.Scan()).Revision);
        }

        Assert.Equal(3, revisions.Distinct().Count());
    }

    [Fact]
    public void Scan_HiddenFileAdded_KeepsTheInstance()
    {
        Models.Write("m/1/model.onnx", "x");
        var repository = Open();
        var before = repository.Scan();

        Models.Write("m/1/.model.onnx.swp", "x");

        Assert.Same(before, repository.Scan());
    }

    [Fact]
    public void Scan_SameFilesElsewhere_HaveTheSameRevision()
    {
        foreach (var model in new[] { "a", "b" })
        {
            Models.Write($"{model}/1/model.onnx", "x");
            Models.Write($"{model}/1/data", "y");
        }

        Models.Write("c/1/model.onnx", "x");
        Models.Write("c/1/datum", "y");
        var snapshot = Open().Scan();

        Assert.Equal(Only(snapshot, "a").Revision, Only(snapshot, "b").Revision);
        Assert.NotEqual(Only(snapshot, "a").Revision, Only(snapshot, "c").Revision);
    }

    [Fact]
    public void Scan_FileStillBeingWritten_IsReportedAtOnceAndThenWhenItRests()
    {
        Models.Write("m/1/model.onnx", "first");
        var repository = Open();
        var first = Only(repository.Scan());

        var written = new List<string>();
        foreach (var size in new[] { 10, 20, 30 })
        {
            Models.Write("m/1/model.onnx", new string('x', size));
            written.Add(Only(repository.Scan()).Revision);
        }

        var finished = Only(repository.Scan()).Revision;

        Assert.NotEqual(first.Revision, written[0]);
        Assert.Equal([written[0], written[0]], written[1..]);
        Assert.NotEqual(written[0], finished);
        Assert.Equal(finished, Only(repository.Scan()).Revision);
    }

    [Fact]
    public void Update_FreshFileChangesWithoutASign_IsReadOnceMore()
    {
        var (path, listing) = Listing();
        var tracker = new VersionTracker(1, new FixedClock(DateTimeOffset.UnixEpoch));
        var first = tracker.Update(listing).Revision;

        File.WriteAllText(path, "two");
        var second = tracker.Update(listing).Revision;
        File.WriteAllText(path, "three");

        Assert.NotEqual(first, second);
        Assert.Equal(second, tracker.Update(listing).Revision);
    }

    [Fact]
    public void Update_OldFileChangesWithoutASign_IsNotRead()
    {
        var (path, listing) = Listing();
        var tracker = new VersionTracker(1, FixedClock.Late);
        var first = tracker.Update(listing);

        File.Delete(path);

        Assert.Same(first, tracker.Update(listing));
    }

    [Fact]
    public void Update_FileCannotBeRead_IsAProblemUntilItCan()
    {
        var (path, listing) = Listing();
        File.Delete(path);
        var tracker = new VersionTracker(1, FixedClock.Late);

        Assert.Contains("not found", tracker.Update(listing).Problem, StringComparison.Ordinal);

        File.WriteAllText(path, "one");

        Assert.Null(tracker.Update(listing).Problem);
    }

    [Fact]
    public void Read_ModificationTimeSetBack_ChangeTimeIsStillTheKernels()
    {
        if (!LinuxStat.IsAvailable)
        {
            return;
        }

        var path = Models.Write("file", "x");
        var time = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, time);

        var stat = FileStat.Read(path, followLinks: true)!.Value;

        Assert.Equal((time - DateTime.UnixEpoch).Ticks * 100, stat.Modified);
        Assert.True(stat.Changed > (new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Ticks * 100);
    }

    [Fact]
    public void ReadPortable_AnyEntry_AgreesWithTheSystemCall()
    {
        Models.Write("file", "12345");
        Models.MakeFolder("folder");
        Models.Link("link", "file");
        Models.Link("dangling", "nowhere");

        foreach (var name in new[] { "file", "folder", "link", "dangling", "missing" })
        {
            foreach (var follow in new[] { false, true })
            {
                var portable = FileStat.ReadPortable(Models[name], follow);
                var real = FileStat.Read(Models[name], follow);
                Assert.Equal(real?.Kind, portable?.Kind);
                if (real is { Kind: FileKind.Regular })
                {
                    Assert.Equal(real.Value.Size, portable!.Value.Size);
                    Assert.Equal(real.Value.Modified / 100, portable.Value.Modified / 100);
                }
            }
        }
    }

    private (string Path, VersionListing Listing) Listing()
    {
        var path = Models.Write("model.onnx", "one");
        return (path, VersionListing.OfFile(path, new FileStat(FileKind.Regular, 3, 1, 1, 1, 1)));
    }
}
