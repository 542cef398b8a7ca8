using Cluster.Contracts.Models;
using Cluster.Grains.Trust;
using Cluster.Unit.Grains;
using Xunit;

namespace Cluster.Unit.Trust;

/// <summary>What is read is what ONNX Runtime runs: from memory, with external data, and changes of the files do nothing.</summary>
[Collection(nameof(UntrustedSessionTests))]
[CollectionDefinition(nameof(UntrustedSessionTests), DisableParallelization = true)]
public sealed class UntrustedSessionTests(OnnxBench bench) : IClassFixture<OnnxBench>, IDisposable
{
    private readonly TrustBench _files = new();

    [Theory]
    [InlineData("w.bin")]
    [InlineData("./w.bin")]
    [InlineData("sub/w.bin")]
    public async Task Open_ExternalData_IsComputedWith(string location)
    {
        _files.Write("m/1/model.onnx", OnnxBytes.Model(OnnxBytes.Part(5, OnnxBytes.External("w", 2, ("location", location), ("offset", "4"), ("length", "8")))));
        foreach (var name in new[] { "m/1/w.bin", "m/1/sub/w.bin" })
        {
            _files.Write(name, OnnxBench.Bytes(-1f, 10, 20));
        }

        var model = await bench.OpenFileAsync("m", _files["m/1/model.onnx"]);

        Assert.Equal([11f, 22f], Run(model, 1, 2));
    }

    /// <summary>Mapped files would end the process here.</summary>
    [Fact]
    public async Task Run_FilesCutOffAfterTheLoad_GoesOn()
    {
        _files.AddExternal("m", 1, [.. Enumerable.Repeat(1f, 2)]);
        var model = await bench.OpenFileAsync("m", _files["m/1/model.onnx"]);

        _files.Write("m/1/w.bin", []);
        _files.Write("m/1/model.onnx", []);

        Assert.Equal([2f, 3f], Run(model, 1, 2));
    }

    [Fact]
    public async Task Open_EncryptedModel_RunsAndItsPlainBytesAreGone()
    {
        const int count = 1 << 19;
        var secret = Enumerable.Range(0, count).Select(static i => 1000f + (i % 7)).ToArray();
        _files.Write("m/1/model.onnx", OnnxBytes.Model(OnnxBytes.Initializer("w", 30, 40)));
        _files.AddExternal("big", 1, secret);
        _files.Options = new ModelTrustOptions { KeyFile = _files.Options.KeyFile };
        _files.Encrypt("m");
        _files.Encrypt("big");
        var open = MemoryFilesOpen();

        using var sessions = bench.NewSessions(_files.NewReader());
        using var model = await sessions.OpenAsync("m", _files.Spec("m"), CancellationToken.None);
        using var big = await sessions.OpenAsync("big", _files.Spec("big"), CancellationToken.None);

        Assert.Equal(open, MemoryFilesOpen());
        Assert.Equal([31f, 42f], Run(model, 1, 2));
        var answer = Run(big, 1);
        Assert.Equal((count, 1001f, 1007f), (answer.Length, answer[0], answer[6]));
    }

    /// <summary>What each refused file costs: no memory file and no descriptor stays.</summary>
    [Fact]
    public async Task Open_RefusedManyTimes_LeavesNothingOpen()
    {
        _files.AddExternal("m", 1, 1, 2);
        _files.Options = new ModelTrustOptions();
        _files.Write("m/1/w.bin", [1]);
        using var sessions = bench.NewSessions(_files.NewReader());
        var spec = new ReplicaSpec(new ModelVersionSource(1, _files["m/1/model.onnx"], ""), ModelSettings.Default, VersionPolicy.LatestOne);
        var before = MemoryFilesOpen();
        for (var i = 0; i < 200; i++)
        {
            await Assert.ThrowsAsync<Contracts.Errors.ServingException>(() => sessions.OpenAsync("m", spec, CancellationToken.None));
        }

        Assert.Equal(before, MemoryFilesOpen());
    }

    public void Dispose() => _files.Dispose();

    /// <summary>The class does not run beside others.</summary>
    private static int MemoryFilesOpen() =>
        new DirectoryInfo("/proc/self/fd").EnumerateFiles().Count(static file => file.LinkTarget?.Contains("memfd:model", StringComparison.Ordinal) == true);

    private float[] Run(Cluster.Grains.Sessions.LoadedModel model, params float[] values) =>
        OnnxBench.Values<float>(bench.Run(model, OnnxBench.Raw(("x", "FP32", [values.Length], OnnxBench.Bytes(values)))).RawOutputContents[0]);
}
