using Cluster.Contracts.Models;
using Cluster.Grains.Repository;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class FileModelRepositoryTests : RepositoryTestBase
{
    [Fact]
    public void Scan_SeveralVersions_ListsThemByNumber()
    {
        foreach (var version in new[] { "10", "2", "1" })
        {
            Models.Write($"m/{version}/model.onnx", version);
        }

        var model = Open().Scan().Models["m"];

        Assert.Equal([1L, 2L, 10L], model.Versions.Select(version => version.Version));
        Assert.All(model.Versions, version => Assert.Equal(Models[$"m/{version.Version}/model.onnx"], version.Path));
        Assert.All(model.Versions, version => Assert.Matches("^[0-9a-f]{64}$", version.Revision));
        Assert.Equal(3, model.Versions.Select(version => version.Revision).Distinct().Count());
        Assert.Null(model.Problem);
        Assert.Equal(VersionPolicy.LatestOne, model.VersionPolicy);
    }

    [Fact]
    public void Scan_EntriesThatAreNoVersion_SkipsThemWithAWarning()
    {
        Models.Write("m/3/model.onnx", "x");
        foreach (var name in new[] { "01", "0", "-1", "1.0", "latest", "99999999999999999999", ".hidden" })
        {
            Models.Write($"m/{name}/model.onnx", "x");
        }

        Models.Write("m/7", "a file");
        Models.Write("m/model.json", "{}");

        var snapshot = Open().Scan();

        Assert.Equal(3, Only(snapshot).Version);
        var warning = Assert.Single(snapshot.Warnings);
        Assert.Contains("model 'm'", warning, StringComparison.Ordinal);
        Assert.Contains("\"01\"", warning, StringComparison.Ordinal);
        Assert.Contains("and 2 more", warning, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9", "names version 9, which is not there")]
    [InlineData("1, 8, 9", "names versions 8, 9, which are not there")]
    [InlineData("1", null)]
    public void Scan_PolicyNamesVersionsThatAreNotThere_WarnsOfThem(string versions, string? expected)
    {
        Models.Write("m/1/model.onnx", "x");
        Models.Write("m/model.json", "{\"version_policy\": {\"specific\": {\"versions\": [" + versions + "]}}}");
        var repository = Open();

        foreach (var snapshot in new[] { repository.Scan(), repository.Scan() })
        {
            Assert.Null(snapshot.Models["m"].Problem);
            Assert.Equal(expected is null ? [] : [$"model 'm': its version policy {expected}"], snapshot.Warnings);
        }
    }

    [Theory]
    [InlineData("a%2Fb")]
    [InlineData("a%2fb")]
    public void Scan_NameThatAUrlCannotTell_IsRefused(string name)
    {
        Models.Write($"{name}/1/model.onnx", "x");
        Models.Write("a%20b/1/model.onnx", "x");

        var snapshot = Open().Scan();

        Assert.Equal("a%20b", Assert.Single(snapshot.Models).Key);
        Assert.Equal($"the model name \"{name}\" has '%2F', which a URL cannot tell from a slash", Assert.Single(snapshot.Problems));
    }

    [Theory]
    [InlineData("model.onnx", "a.onnx model.onnx b.onnx")]
    [InlineData("net.onnx", "net.onnx weights.bin sub/other.onnx")]
    public void Scan_GraphCanBeTold_TakesIt(string expected, string files)
    {
        foreach (var file in files.Split(' '))
        {
            Models.Write($"m/1/{file}", file);
        }

        Assert.Equal(Models[$"m/1/{expected}"], Only(Open().Scan()).Path);
    }

    [Theory]
    [InlineData("'a.onnx', 'b.onnx'", "a.onnx b.onnx c.bin")]
    [InlineData("no .onnx file in '1'", "readme.txt")]
    [InlineData("no .onnx file in '1'", ".model.onnx")]
    public void Scan_GraphCannotBeTold_VersionHasAProblem(string expected, string files)
    {
        foreach (var file in files.Split(' '))
        {
            Models.Write($"m/1/{file}", file);
        }

        var snapshot = Open().Scan();

        Assert.Contains(expected, ProblemOf(snapshot), StringComparison.Ordinal);
        Assert.Equal("", Only(snapshot).Path);
        Assert.Contains(expected, snapshot.Models["m"].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_OneOfTwoVersionsBroken_ModelHasNoProblem()
    {
        Models.Write("m/1/model.onnx", "x");
        Models.MakeFolder("m/2");

        var model = Open().Scan().Models["m"];

        Assert.Null(model.Problem);
        Assert.Null(model.Versions[0].Problem);
        Assert.NotNull(model.Versions[1].Problem);
    }

    [Fact]
    public void Scan_ModelWithoutVersion_HasAProblem()
    {
        Models.MakeFolder("m");

        Assert.Contains("no version folder", Open().Scan().Models["m"].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_HiddenAndReservedFolders_AreNoModels()
    {
        Models.Write(".git/1/model.onnx", "x");
        Models.MakeFolder("lost+found");
        Models.Write("README.md", "x");

        var snapshot = Open().Scan();

        Assert.Empty(snapshot.Models);
        Assert.Empty(snapshot.Problems);
        Assert.Empty(snapshot.Warnings);
    }

    [Fact]
    public void Scan_ModelFileOutsideOfAnyFolder_WarnsWhereItBelongs()
    {
        Models.Write("net.onnx", "x");

        Assert.Contains("<model name>/<version>/", Assert.Single(Open().Scan().Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_NameWithControlCharacter_IsAProblemThatIsSafeToPrint()
    {
        Models.Write("a\nb/1/model.onnx", "x");
        Models.Write("m/1/model.onnx", "x");

        var snapshot = Open().Scan();

        Assert.Equal("m", Assert.Single(snapshot.Models).Key);
        var problem = Assert.Single(snapshot.Problems);
        Assert.Contains(@"a\nb", problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem);
    }

    [Fact]
    public void Scan_RootMissingAtStart_Throws()
    {
        var exception = Assert.Throws<RepositoryConfigurationException>(() => Open(Models["nowhere"]).Scan());

        Assert.Contains(Models["nowhere"], exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_RootVanishes_ModelsStayUntilItIsBack()
    {
        Models.Write("root/m/1/model.onnx", "x");
        var repository = Open(Models["root"]);
        var before = repository.Scan();

        Directory.Move(Models["root"], Models["away"]);
        var without = repository.Scan();
        Directory.Move(Models["away"], Models["root"]);
        var after = repository.Scan();

        Assert.Same(before.Models["m"], without.Models["m"]);
        Assert.Contains("no folder", Assert.Single(without.Problems), StringComparison.Ordinal);
        Assert.Empty(after.Problems);
        Assert.Same(before.Models["m"], after.Models["m"]);
    }

    [Fact]
    public void Scan_RootEmptied_ModelsAreGone()
    {
        Models.Write("root/m/1/model.onnx", "x");
        var repository = Open(Models["root"]);
        repository.Scan();

        Directory.Delete(Models["root/m"], recursive: true);

        Assert.Empty(repository.Scan().Models);
    }

    [Fact]
    public void Scan_RootIsAnEmptyFolderOfAnotherFileSystem_ModelsStay()
    {
        // Where the two are one file system, this shows no more than that a link may be the root.
        using var elsewhere = new TempFolder(Directory.Exists("/dev/shm") ? "/dev/shm" : null);
        Models.Write("root/m/1/model.onnx", "x");
        Models.Link("current", Models["root"]);
        var repository = Open(Models["current"]);
        repository.Scan();

        File.Delete(Models["current"]);
        Models.Link("current", elsewhere.Path);
        var snapshot = repository.Scan();

        var isOther = Cluster.Grains.Repository.Files.FileStat.Read(elsewhere.Path, followLinks: true)!.Value.Device
            != Cluster.Grains.Repository.Files.FileStat.Read(Models.Path, followLinks: true)!.Value.Device;
        Assert.Equal(isOther, snapshot.Models.ContainsKey("m"));
        Assert.Equal(isOther, snapshot.Problems.Any(problem => problem.Contains("unmounted", StringComparison.Ordinal)));
    }

    [Fact]
    public void Scan_ModelAndVersionRemoved_AreGone()
    {
        Models.Write("a/1/model.onnx", "x");
        Models.Write("m/1/model.onnx", "x");
        Models.Write("m/2/model.onnx", "x");
        var repository = Open();
        repository.Scan();

        Directory.Delete(Models["a"], recursive: true);
        Directory.Delete(Models["m/2"], recursive: true);
        var snapshot = repository.Scan();

        Assert.Equal(1, Only(snapshot).Version);
        Assert.False(snapshot.Models.ContainsKey("a"));
    }

    [Fact]
    public void Scan_Repeated_LogsEachMessageOnceAndItsEnd()
    {
        Models.MakeFolder("m/1");
        Models.MakeFolder("m/x");
        var repository = Open();

        repository.Scan();
        repository.Scan();
        Models.Write("other/1/model.onnx", "x");
        repository.Scan();

        Assert.Equal([2001, 2002, 2003, 2005], Logged.Collector.GetSnapshot().Select(entry => entry.Id.Id).Order());

        Logged.Collector.Clear();
        Models.Write("m/1/model.onnx", "x");
        repository.Scan();

        Assert.Equal([2004, 2004], Logged.Collector.GetSnapshot().Select(entry => entry.Id.Id));
    }
}
