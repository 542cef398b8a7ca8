using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Files;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed partial class ContainmentTests : RepositoryTestBase
{
    private const int UnprivilegedUser = 65534;

    [Theory]
    [InlineData("m", "outside")]
    [InlineData("m/1", "outside/1")]
    [InlineData("m/1/model.onnx", "outside/1/model.onnx")]
    [InlineData("m/1/weights", "outside/1")]
    [InlineData("m/1/.hidden", "outside/1/model.onnx")]
    [InlineData("m/1/weights/deep.bin", "outside/1/model.onnx")]
    [InlineData("m/model.json", "outside/model.json")]
    public void Scan_LinkOutOfTheRepository_IsRefusedWithoutNamingTheTarget(string link, string target)
    {
        Models.Write("outside/1/model.onnx", "secret");
        Models.Write("outside/model.json", """{"secret": 1}""");
        Models.MakeFolder("root");
        if (link.StartsWith("m/1/", StringComparison.Ordinal) || link == "m/model.json")
        {
            Models.Write("root/m/1/other.onnx", "x");
        }

        Models.Link($"root/{link}", Models[target]);

        var model = Open(Models["root"]).Scan().Models["m"];

        Assert.Contains("leads out of the repository", model.Problem, StringComparison.Ordinal);
        Assert.Contains($"'{(link == "m" ? link : link["m/".Length..])}'", model.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("outside", model.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", model.Problem, StringComparison.Ordinal);
        Assert.All(model.Versions, version => Assert.DoesNotContain("outside", version.Path, StringComparison.Ordinal));
    }

    [Fact]
    public void Scan_ChainOfLinksThatEndsOutside_IsRefused()
    {
        Models.Write("secret.onnx", "x");
        Models.Link("root/m/1/model.onnx", "../step.onnx");
        Models.Link("root/m/step.onnx", "../../secret.onnx");

        Assert.Contains("leads out", ProblemOf(Open(Models["root"]).Scan()), StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_SiblingFolderWithTheRootsNameAsPrefix_IsOutside()
    {
        Models.Write("root-secret/1/model.onnx", "x");
        Models.Link("root/m", Models["root-secret"]);

        Assert.Contains("leads out", Open(Models["root"]).Scan().Models["m"].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_LinksThatStayInside_AreFollowed()
    {
        Models.Write("root/.store/net", "x");
        Models.Link("root/m/1/model.onnx", "../../.store/net");
        Models.Link("root/m/2", Models["root/m/1"]);
        Models.Link("root/alias", "m");
        Models.Link("current", "root");

        var snapshot = Open(Models["current"]).Scan();

        Assert.Equal(2, snapshot.Models["m"].Versions.Length);
        Assert.All(snapshot.Models["m"].Versions, version => Assert.Equal(Models["root/m/1/model.onnx"], version.Path));
        Assert.Equal(snapshot.Models["m"].Versions.ToArray(), snapshot.Models["alias"].Versions.ToArray());
        Assert.All(snapshot.Models.Values, model => Assert.Null(model.Problem));
    }

    [Fact]
    public void Scan_MountedConfigMapFlips_HasTheNewContent()
    {
        Models.Write("m/1/..v1/model.onnx", "one");
        Models.Write("m/1/..v2/model.onnx", "two");
        Models.Link("m/1/..data", "..v1");
        Models.Link("m/1/model.onnx", "..data/model.onnx");
        var repository = Open();
        var before = Only(repository.Scan());

        File.Delete(Models["m/1/..data"]);
        Models.Link("m/1/..data", "..v2");
        var after = Only(repository.Scan());

        Assert.Null(before.Problem);
        Assert.NotEqual(before.Revision, after.Revision);
        Assert.Equal(Models["m/1/model.onnx"], after.Path);
    }

    [Fact]
    public void Scan_LinkLoopsAndParents_EndWithAnAnswer()
    {
        Models.Write("m/1/model.onnx", "x");
        Models.Link("m/1/up", "..");
        Models.Link("loop/1/model.onnx", "again");
        Models.Link("loop/1/again", "model.onnx");
        Models.Link("dangling/1/model.onnx", "nowhere");

        var snapshot = Open().Scan();

        Assert.Null(snapshot.Models["m"].Problem);
        Assert.Contains("circle", ProblemOf(snapshot, "loop"), StringComparison.Ordinal);
        Assert.Contains("leads nowhere", ProblemOf(snapshot, "dangling"), StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_HiddenLinkToNowhere_IsIgnored()
    {
        Models.Write("m/1/model.onnx", "x");
        Models.Link("m/1/.#model.onnx", "someone@host.1234");

        Assert.Null(Open().Scan().Models["m"].Problem);
    }

    [Fact]
    public void Scan_PipeInTheFolder_IsAProblemAndDoesNotBlock()
    {
        Models.MakeFolder("m/1");
        Assert.Equal(0, MakePipe(Models["m/1/model.onnx"], 0x180));

        Assert.Contains("neither a file nor a folder", ProblemOf(Open().Scan()), StringComparison.Ordinal);
    }

    [Theory]
    [UnsupportedOSPlatform("windows")]
    [InlineData("m", "the model's folder cannot be read")]
    [InlineData("m/1", "'1' cannot be read")]
    [InlineData("m/1/model.onnx", "version 1 cannot be read")]
    [InlineData("m/model.json", "'model.json' cannot be read")]
    public void Scan_PermissionDenied_IsAProblemOfThatModelAlone(string closed, string expected)
    {
        Models.Write("m/1/model.onnx", "x");
        Models.Write("m/model.json", "{}");
        Models.Write("other/1/model.onnx", "x");
        var mode = File.GetUnixFileMode(Models[closed]);
        File.SetUnixFileMode(Models[closed], UnixFileMode.None);
        try
        {
            var snapshot = AsUnprivileged(Open().Scan);

            Assert.Contains(expected, snapshot.Models["m"].Problem, StringComparison.Ordinal);
            Assert.Contains("permission denied", snapshot.Models["m"].Problem, StringComparison.Ordinal);
            Assert.Null(snapshot.Models["other"].Problem);
        }
        finally
        {
            File.SetUnixFileMode(Models[closed], mode);
        }
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Scan_FolderBecomesUnreadable_VersionsStayListed()
    {
        Models.Write("m/1/model.onnx", "x");
        var repository = Open();
        var before = AsUnprivileged(repository.Scan);
        File.SetUnixFileMode(Models["m"], UnixFileMode.None);
        try
        {
            var after = AsUnprivileged(repository.Scan);

            Assert.NotNull(after.Models["m"].Problem);
            Assert.Same(Only(before), Only(after));
        }
        finally
        {
            File.SetUnixFileMode(Models["m"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>A version is usable exactly if its link's text, taken from its folder, stays under the root.</summary>
    [Fact]
    public void Scan_AnyLinkText_IsFollowedExactlyIfItStaysInside()
    {
        Models.Write("root/in/net", "x");
        Models.Write("net", "x");
        Models.Write("in/net", "x");
        Models.MakeFolder("root/m/1");
        var segment = Gen.Elements("..", "..", ".", "in", "root", "m", "1");
        var text = Gen.Select(Gen.ListOf(segment), segments => string.Join('/', segments.Append("net")));

        Prop.ForAll(text.ToArbitrary(), target =>
        {
            File.Delete(Models["root/m/1/model.onnx"]);
            Models.Link("root/m/1/model.onnx", target);
            var path = Path.GetFullPath(Path.Combine(Models["root/m/1"], target));
            var problem = Only(Open(Models["root"]).Scan()).Problem;

            return path.StartsWith(Models["root"] + "/", StringComparison.Ordinal)
                ? problem is null == File.Exists(path)
                : problem!.Contains("leads out", StringComparison.Ordinal);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("/a", "/a", true)]
    [InlineData("/a", "/a/b", true)]
    [InlineData("/a", "/ab", false)]
    [InlineData("/a", "/", false)]
    [InlineData("/", "/a", true)]
    public void IsInside_TwoPaths_ComparesWholeSegments(string root, string path, bool expected) =>
        Assert.Equal(expected, RealPath.IsInside(root, path));

    /// <summary>Runs on this thread with the file permissions of a user who owns nothing; root would be let in everywhere.</summary>
    private RepositorySnapshot AsUnprivileged(Func<RepositorySnapshot> action)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return action();
        }

        Assert.Equal(0, ChangeOwner(Models.Path, UnprivilegedUser, UnprivilegedUser));
        foreach (var entry in Directory.EnumerateFileSystemEntries(Models.Path, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(0, ChangeOwner(entry, UnprivilegedUser, UnprivilegedUser));
        }

        var before = SetFileUser(UnprivilegedUser);
        try
        {
            return action();
        }
        finally
        {
            Assert.Equal(UnprivilegedUser, SetFileUser(before));
        }
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileUser(int user);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
