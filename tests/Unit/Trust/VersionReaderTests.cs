using System.Diagnostics;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Cluster.Grains.Trust;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.Trust;

public sealed class VersionReaderTests : IDisposable
{
    private readonly TrustBench _bench = new();

    public VersionReaderTests() => _bench.Options = new ModelTrustOptions();

    [Theory]
    [InlineData("../m2/w.bin", "external data '../m2/w.bin' is no path inside the version's folder")]
    [InlineData("/dev/zero", "external data '/dev/zero' is no path inside the version's folder")]
    [InlineData("/etc/passwd", "external data '/etc/passwd' is no path inside the version's folder")]
    [InlineData("a/../../w.bin", "external data 'a/../../w.bin' is no path inside the version's folder")]
    [InlineData(@"..\\w.bin", @"external data '..\\\\w.bin' is no path inside the version's folder")]
    [InlineData("", "external data '' is no path inside the version's folder")]
    [InlineData("missing.bin", "external data 'missing.bin' is no file of the version")]
    [InlineData(".hidden", "external data '.hidden' is no file of the version")]
    [InlineData("sub", "external data 'sub' is no file of the version")]
    [InlineData("12", "external data '12' is no file of the version")]
    public void Read_ExternalDataOutsideOfTheVersion_IsRefused(string location, string expected)
    {
        _bench.AddExternal("m2", 1, 1, 2);
        AddNaming(location);
        _bench.Write("m/1/.hidden", new byte[8]);
        _bench.Write("m/1/sub/w.bin", new byte[8]);

        Assert.Equal(expected, _bench.Refuse("m"));
    }

    [Theory]
    [InlineData("./w.bin")]
    [InlineData("sub//w.bin")]
    [InlineData("sub/./w.bin")]
    public void Read_ExternalDataSpeltOtherwise_IsFoundUnderThatSpelling(string location)
    {
        AddNaming(location);
        _bench.Write("m/1/w.bin", new byte[8]);
        _bench.Write("m/1/sub/w.bin", new byte[8]);

        using var content = _bench.Read("m");

        Assert.Equal([location], content.External.Keys);
    }

    [Theory]
    [InlineData("offset", "1", "external data 'w.bin' has 8 bytes, and initializers end beyond them")]
    [InlineData("length", "9", "external data 'w.bin' has 8 bytes, and initializers end beyond them")]
    [InlineData("offset", "9223372036854775807", "external data 'w.bin' has 8 bytes, and initializers end beyond them")]
    public void Read_ExternalDataBeyondTheFile_IsRefused(string key, string value, string expected)
    {
        _bench.Write("m/1/model.onnx", OnnxBytes.Model(OnnxBytes.Part(5, OnnxBytes.External("w", 2, ("location", "w.bin"), (key, value)))));
        _bench.Write("m/1/w.bin", new byte[8]);

        Assert.Equal(expected, _bench.Refuse("m"));
    }

    [Theory]
    [InlineData("fifo", "'1/w.bin' is neither a file nor a folder")]
    [InlineData("device", "'1/w.bin' is a link that leads out of the repository")]
    [InlineData("out", "'1/w.bin' is a link that leads out of the repository")]
    public void Scan_ExternalDataThatIsNoFile_TakesTheVersionAway(string kind, string expected)
    {
        _bench.AddExternal("m", 1, 1, 2);
        Replace("m/1/w.bin", kind);

        Assert.Equal(expected, _bench.Spec("m").Source.Problem);
    }

    /// <summary>The same between the look at the folder and the load: another silo's registration, or a swap.</summary>
    [Theory]
    [InlineData("fifo", "'1/w.bin' is neither a file nor a folder")]
    [InlineData("device", "'1/w.bin' is neither a file nor a folder")]
    [InlineData("out", "this silo's files are not those that were registered")]
    public void Read_FileThatWasReplaced_IsRefusedWithoutBeingRead(string kind, string expected)
    {
        _bench.AddExternal("m", 1, 1, 2);
        var spec = _bench.Spec("m");
        Replace("m/1/w.bin", kind);

        Assert.StartsWith(expected, _bench.Refuse("m", spec), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fifo")]
    [InlineData("device")]
    [InlineData("out")]
    [InlineData("parent")]
    public void Read_FileReplacedBetweenLookAndOpening_IsRefused(string kind)
    {
        _bench.AddExternal("m", 1, 1, 2);
        var spec = _bench.Spec("m");
        Microsoft.Win32.SafeHandles.SafeFileHandle Open(string path)
        {
            if (path.EndsWith("w.bin", StringComparison.Ordinal))
            {
                Replace("m/1/w.bin", kind);
            }

            return CheckedFile.Open(path);
        }

        Assert.Equal("the files of version 1 changed while they were read: 'w.bin' is no regular file", _bench.Refuse("m", spec, Open));
    }

    [Fact]
    public async Task Read_SingleFile_FindsItsExternalDataInItsOwnFolderAlone()
    {
        _bench.AddExternal("blobs", 1, 1, 2);
        _bench.AddExternal("other", 1, 3, 4);
        using var reader = new RegisteredModelReader(new RegistryOptions { Root = _bench.Models }, FixedClock.Late);
        var registration = await reader.ReadAsync("m", new RegisteredInfo("", "blobs/1/model.onnx", ""));
        var spec = new ReplicaSpec(registration.Versions[0], registration.Settings, registration.VersionPolicy);
        using (var content = _bench.Read("m", spec))
        {
            Assert.Equal(8, content.External["w.bin"].Length);
        }

        File.Delete(_bench["blobs/1/w.bin"]);
        File.CreateSymbolicLink(_bench["blobs/1/w.bin"], "../../other/1/w.bin");
        Assert.Equal("'w.bin' is a link that leads out of the repository", _bench.Refuse("m", spec));
        Replace("blobs/1/w.bin", "fifo");
        Assert.Equal("'w.bin' is no regular file", _bench.Refuse("m", spec));
        File.Delete(_bench["blobs/1/w.bin"]);
        Assert.Equal("external data 'w.bin' is no file of the version", _bench.Refuse("m", spec));
    }

    [Fact]
    public void Read_MoreBytesThanAllowed_IsRefused()
    {
        _bench.AddExternal("m", 1, 1, 2);
        var graph = new FileInfo(_bench["m/1/model.onnx"]).Length;
        _bench.Options = new ModelTrustOptions { MaxVersionBytes = graph + 7 };
        Assert.Equal($"its files have {graph + 8} bytes; Models:MaxVersionBytes allows {graph + 7}", _bench.Refuse("m"));
        _bench.Options = new ModelTrustOptions { MaxFileBytes = (int)graph - 1 };
        Assert.Equal($"'model.onnx' has {graph} bytes; Models:MaxFileBytes allows {graph - 1}", _bench.Refuse("m"));
        _bench.Options = new ModelTrustOptions { MaxVersionBytes = graph + 8, MaxFileBytes = (int)graph };
        _bench.Read("m").Dispose();
    }

    /// <summary>A sparse file: what it says is not what it takes, and no memory may be taken for it.</summary>
    [Fact]
    public void Read_FileLargerThanAnyMemory_IsRefused()
    {
        _bench.AddExternal("m", 1, 1, 2);
        using (var file = File.OpenWrite(_bench["m/1/model.onnx"]))
        {
            file.SetLength((long)int.MaxValue + 1);
        }

        var source = new ModelVersionSource(1, _bench["m/1/model.onnx"], "");
        Assert.Equal("'model.onnx' has 2147483648 bytes; Models:MaxFileBytes allows 2147483647", _bench.Refuse("m", new ReplicaSpec(source, ModelSettings.Default, VersionPolicy.LatestOne)));
    }

    public void Dispose() => _bench.Dispose();

    private void AddNaming(string location) =>
        _bench.Write("m/1/model.onnx", OnnxBytes.Model(OnnxBytes.Part(5, OnnxBytes.External("w", 2, ("location", location)))));

    private void Replace(string name, string kind)
    {
        var path = _bench[name];
        if (kind == "parent")
        {
            var folder = Path.GetDirectoryName(path)!;
            Directory.Move(folder, folder + "moved");
            Directory.CreateSymbolicLink(folder, folder + "moved");
            return;
        }

        File.Delete(path);
        switch (kind)
        {
            case "fifo":
                using (var process = Process.Start("mkfifo", [path]))
                {
                    process.WaitForExit();
                    Assert.Equal(0, process.ExitCode);
                }

                break;
            case "device":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            default:
                _bench.Write("../out.bin", new byte[8]);
                File.CreateSymbolicLink(path, _bench["../out.bin"]);
                break;
        }
    }
}
