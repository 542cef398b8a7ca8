using System.Security.Cryptography;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Cache;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository.Versions;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class ContentCheckTests : RepositoryTestBase
{
    private readonly ContentCheck _check = new(FixedClock.Late);

    [Fact]
    public void ProblemOf_FilesAsRegistered_IsNone()
    {
        Models.Write("m/1/model.onnx", "graph");
        Models.Write("m/1/weights/w.bin", "weights");

        Assert.Null(ProblemOf(Only(Open().Scan())));
    }

    [Fact]
    public void ProblemOf_AnotherFileBesideTheGraph_NamesBothHashesAndNoPath()
    {
        Models.Write("m/1/model.onnx", "graph");
        Models.Write("m/1/w.bin", "weights");
        var source = Only(Open().Scan());
        Assert.Null(ProblemOf(source));
        Models.Write("m/1/w.bin", "stale ones");

        var problem = ProblemOf(source);

        Assert.StartsWith("this silo's files are not those that were registered: their SHA-256 is ", problem, StringComparison.Ordinal);
        Assert.Contains($"not {source.Revision[..12]}…", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Models.Path, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("m/1")]
    [InlineData("m")]
    public void ProblemOf_FolderThatIsMissingHere_SaysSoWithoutItsPath(string gone)
    {
        Models.Write("m/1/model.onnx", "graph");
        var source = Only(Open().Scan());
        Directory.Delete(Models[gone], recursive: true);

        Assert.Equal("'1' cannot be read: not found", ProblemOf(source));
    }

    [Fact]
    public async Task ProblemOf_RegisteredFileBesideOthers_LooksAtThatFileAlone()
    {
        Models.Write("blobs/a.onnx", "graph");
        using var reader = new RegisteredModelReader(new RegistryOptions { Root = Models.Path }, FixedClock.Late);
        var source = Assert.Single((await reader.ReadAsync("m", new RegisteredInfo("", "blobs/a.onnx", ""))).Versions);
        Models.Write("blobs/b.onnx", "another");
        Assert.Null(ProblemOf(source));

        Models.Write("blobs/a.onnx", "other");
        Assert.Contains("SHA-256", ProblemOf(source), StringComparison.Ordinal);
        File.Delete(Models["blobs/a.onnx"]);
        Assert.Equal("there is no file 'a.onnx'", ProblemOf(source));
    }

    [Fact]
    public void ProblemOf_FileThatWasReadBeforeItWasPutBack_IsThatOfWhatWasRead()
    {
        Models.Write("m/1/model.onnx", "graph");
        var source = Only(Open().Scan());
        var read = new Dictionary<string, byte[]> { ["model.onnx"] = SHA256.HashData("another"u8) };

        Assert.Contains("SHA-256", _check.ProblemOf(source, VersionListing.Of(source), read), StringComparison.Ordinal);
        Assert.Null(ProblemOf(source));
    }

    [Fact]
    public void Bytes_FilesThatAreLinks_CountWhatTheyLeadTo()
    {
        Models.Write("m/..data/model.onnx", new string('g', 3000));
        Models.Write("m/..data/w.bin", new string('w', 500));
        Models.MakeFolder("m/1");
        Models.Link("m/1/model.onnx", "../..data/model.onnx");
        Models.Link("m/1/w.bin", "../..data/w.bin");

        var source = Only(Open().Scan());

        Assert.Equal(3500, source.Bytes);
        Assert.Null(ProblemOf(source));
        var options = new ModelCacheOptions { SizeFactor = 1 };
        Assert.Equal(3500 + options.BaseBytes, new ReplicaSizes(options).Predict("m", source));
    }

    /// <summary>As a load asks.</summary>
    private string? ProblemOf(ModelVersionSource source) =>
        VersionListing.Of(source) is { Problem: { } problem } ? problem : _check.ProblemOf(source, VersionListing.Of(source), new Dictionary<string, byte[]>());
}
