using Cluster.Contracts.Models;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Trust;
using Cluster.Tests.Common;
using Cluster.Unit.Trust;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Optimized graphs on the silo's disk.</summary>
public sealed class OptimizedGraphsTests(OnnxBench bench) : IClassFixture<OnnxBench>, IDisposable
{
    private const int Kibibyte = 1 << 10;

    private readonly ModelFolder _folder = ModelFolder.Create();
    private readonly ManualTimeProvider _time = new();

    private string Cache => Path.Combine(_folder.Path, "graphs");

    [Fact]
    public async Task Open_ContentWhoseGraphWasKept_IsTheSameModel()
    {
        var path = Path.Combine(_folder.Path, "model.onnx");
        await File.WriteAllBytesAsync(
            path, [.. await File.ReadAllBytesAsync(Path.Combine(TestPaths.DemoModels, "digits", "1", "model.onnx")), .. OnnxBytes.Part(14, OnnxBytes.Join(OnnxBytes.Text(1, "key"), OnnxBytes.Text(2, "value")))]);
        using var sessions = Sessions();
        using var first = await sessions.OpenAsync("digits", OnnxBench.Spec(path), CancellationToken.None);
        Assert.NotNull(first.GraphToKeep);
        await sessions.KeepGraphAsync(first, OnnxBench.Spec(path), static () => true, CancellationToken.None);

        using var second = await sessions.OpenAsync("digits", OnnxBench.Spec(path), CancellationToken.None);

        Assert.Null(second.GraphToKeep);
        Assert.Single(Directory.GetFiles(Cache));
        Assert.Equal("value", Describe(first).Properties["key"]);
        Assert.Equivalent(Describe(first), Describe(second), strict: true);
        var request = OnnxBench.Raw((first.Signature.Inputs[0].Name, "FP32", [1, .. first.Signature.Inputs[0].Dimensions![1..].Select(static dimension => dimension.Range.Min)], Pixels(first)));
        Assert.Equal(bench.Run(first, request), bench.Run(second, request));
    }

    /// <summary>As older exporters wrote them: initializers among the inputs, of which one is folded away and one stays.</summary>
    [Fact]
    public async Task Open_InitializersAmongTheInputs_AreNoInputsOfTheKeptGraph()
    {
        var path = Path.Combine(_folder.Path, "model.onnx");
        var graph = OnnxBytes.Join(
            OnnxBytes.Part(1, OnnxBytes.Node("Add", "a", "b", "w")),
            OnnxBytes.Part(1, OnnxBytes.Node("Add", "x", "w", "s")),
            OnnxBytes.Part(1, OnnxBytes.Node("Mul", "s", "c", "y")),
            OnnxBytes.Text(2, "g"),
            OnnxBytes.Initializer("a", 1, 2),
            OnnxBytes.Initializer("b", 10, 20),
            OnnxBytes.Initializer("c", 3, 3),
            OnnxBytes.Part(11, Value("a")),
            OnnxBytes.Part(11, Value("x")),
            OnnxBytes.Part(11, Value("b")),
            OnnxBytes.Part(11, Value("c")),
            OnnxBytes.Part(12, Value("y")));
        await File.WriteAllBytesAsync(path, OnnxBytes.Join(OnnxBytes.Number(1, 3), OnnxBytes.Part(7, graph), OnnxBytes.Part(8, OnnxBytes.Join(OnnxBytes.Text(1, ""), OnnxBytes.Number(2, 8)))));
        using var sessions = Sessions();
        using var first = await sessions.OpenAsync("m", OnnxBench.Spec(path), CancellationToken.None);
        await sessions.KeepGraphAsync(first, OnnxBench.Spec(path), static () => true, CancellationToken.None);

        using var second = await sessions.OpenAsync("m", OnnxBench.Spec(path), CancellationToken.None);

        Assert.Null(second.GraphToKeep);
        Assert.Equivalent(Describe(first), Describe(second), strict: true);
        Assert.Equal("x", Assert.Single(second.Signature.Inputs).Name);
        Assert.Equal([36f, 69f], OnnxBench.Values<float>(bench.Run(second, OnnxBench.Raw(("x", "FP32", [2], OnnxBench.Bytes(1f, 1f)))).RawOutputContents[0]));

        static byte[] Value(string name) => OnnxBytes.Join(
            OnnxBytes.Text(1, name), OnnxBytes.Part(2, OnnxBytes.Part(1, OnnxBytes.Join(OnnxBytes.Number(1, OnnxBytes.Float), OnnxBytes.Part(2, OnnxBytes.Part(1, OnnxBytes.Number(1, 2)))))));
    }

    [Fact]
    public async Task Open_ExternalDataChanges_IsOtherContent()
    {
        var path = Path.Combine(_folder.Path, "model.onnx");
        await File.WriteAllBytesAsync(path, OnnxBytes.Model(OnnxBytes.Part(5, OnnxBytes.External("w", 2, ("location", "w.bin")))));
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "w.bin"), OnnxBench.Bytes(1f, 2f));
        var spec = OnnxBench.Spec(path);
        using var sessions = Sessions();
        using var first = await sessions.OpenAsync("m", spec, CancellationToken.None);
        await sessions.KeepGraphAsync(first, spec, static () => true, CancellationToken.None);
        using var kept = await sessions.OpenAsync("m", spec, CancellationToken.None);
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "w.bin"), OnnxBench.Bytes(30f, 40f));

        using var changed = await sessions.OpenAsync("m", spec, CancellationToken.None);

        Assert.Null(kept.GraphToKeep);
        Assert.NotNull(changed.GraphToKeep);
        var request = OnnxBench.Raw(("x", "FP32", [2], new byte[8]));
        Assert.Equal([1f, 2f], OnnxBench.Values<float>(bench.Run(kept, request).RawOutputContents[0]));
        Assert.Equal([30f, 40f], OnnxBench.Values<float>(bench.Run(changed, request).RawOutputContents[0]));
    }

    [Theory]
    [InlineData("a bit")]
    [InlineData("cut")]
    [InlineData("no graph")]
    public async Task Open_KeptGraphIsDamaged_IsMadeAnew(string damage)
    {
        var path = Path.Combine(TestPaths.TestModels, "batchy", "1", "model.onnx");
        var spec = OnnxBench.Spec(path);
        var graphs = Graphs();
        using var sessions = bench.NewSessions(OnnxBench.NewReader(CheckedFile.Open), graphs);
        using var first = await sessions.OpenAsync("batchy", spec, CancellationToken.None);
        if (damage == "no graph")
        {
            // Whole, as its checksum says, and no graph.
            _ = graphs.Keep(first.GraphToKeep!, 1, static file => File.WriteAllText(file, "none"));
        }
        else
        {
            await sessions.KeepGraphAsync(first, spec, static () => true, CancellationToken.None);
            using var file = File.Open(Assert.Single(Directory.GetFiles(Cache)), FileMode.Open);
            Damage(file, damage);
        }

        using var second = await sessions.OpenAsync("batchy", spec, CancellationToken.None);

        Assert.Equal(first.GraphToKeep, second.GraphToKeep);
        Assert.Empty(Directory.GetFiles(Cache));
        await sessions.KeepGraphAsync(second, spec, static () => true, CancellationToken.None);
        using var third = await sessions.OpenAsync("batchy", spec, CancellationToken.None);
        Assert.Null(third.GraphToKeep);
    }

    [Fact]
    public async Task Keep_NoRoomOrAFolderThatOthersWrite_OnlyKeepsNothing()
    {
        var spec = OnnxBench.Spec(Path.Combine(TestPaths.TestModels, "batchy", "1", "model.onnx"));
        using var sessions = Sessions();
        using var model = await sessions.OpenAsync("batchy", spec, CancellationToken.None);

        await sessions.KeepGraphAsync(model, spec, static () => false, CancellationToken.None);
        Assert.False(Directory.Exists(Cache));
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        new DirectoryInfo(_folder.Path).CreateSubdirectory("graphs").UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite;
        await sessions.KeepGraphAsync(model, spec, static () => true, CancellationToken.None);

        Assert.Empty(Directory.GetFiles(Cache));
        Assert.Contains(bench.Logged, static entry => entry.Id.Id == 2284 && entry.Message.Contains("others may write", StringComparison.Ordinal));
    }

    [Fact]
    public void Keep_MoreThanFits_RemovesWhatWasUsedLongestAgo()
    {
        var graphs = Graphs(mebibytes: 1);
        foreach (var key in "abc")
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(300 * Kibibyte, graphs.Keep(Key(key), 1, static file => Write(file, 300)));
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(graphs.Find(Key('a')));
        _time.Advance(TimeSpan.FromMinutes(1));
        graphs.Keep(Key('d'), 1, static file => Write(file, 300));

        Assert.Equal(["a", "c", "d"], Directory.GetFiles(Cache).Select(static file => Path.GetFileName(file)[..1]).Order());
        Assert.Null(graphs.Keep(Key('d'), 1, static _ => Assert.Fail("it is there already")));
        Assert.Throws<IOException>(() => graphs.Keep(Key('e'), 1, static file => Write(file, 1025)));
        Assert.Throws<IOException>(() => graphs.Keep(Key('f'), long.MaxValue / 4, static _ => Assert.Fail("it does not fit on the disk")));
        Assert.Equal(3, Directory.GetFiles(Cache).Length);

        static string Key(char digit) => new(digit, 64);
    }

    [Fact]
    public void Keep_FolderWithFilesOfOthers_LeavesThem()
    {
        var graphs = Graphs(mebibytes: 1);
        graphs.Keep(new string('a', 64), 1, static file => Write(file, 900));
        var model = Path.Combine(Cache, "resnet50.onnx");
        Write(model, 900);
        File.SetLastWriteTimeUtc(model, DateTime.UnixEpoch);

        graphs.Keep(new string('b', 64), 1, static file => Write(file, 900));

        Assert.Equal(["b", "r"], Directory.GetFiles(Cache).Select(static file => Path.GetFileName(file)[..1]).Order());
    }

    [Fact]
    public void Key_IsThatOfContentSettingsRuntimeAndProcessor()
    {
        using var content = Content(1);
        using var other = Content(2);
        var amd = GraphKey.Describe(["processor\t: 0", "model name\t: one", "cpu MHz\t: 2500.1", "flags\t: avx avx2", "", "model name\t: two"]);
        var keys = new[]
        {
            GraphKey.Of(content, GraphOptimization.All, "1.2", amd),
            GraphKey.Of(other, GraphOptimization.All, "1.2", amd),
            GraphKey.Of(content, GraphOptimization.Basic, "1.2", amd),
            GraphKey.Of(content, GraphOptimization.All, "1.3", amd),
            GraphKey.Of(content, GraphOptimization.All, "1.2", GraphKey.Describe(["model name\t: one", "flags\t: avx"])),
        };

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(keys, Assert.NotNull);
        Assert.Equal(amd, GraphKey.Describe(["model name\t: one", "cpu MHz\t: 900", "flags\t: avx avx2"]));
        Assert.Null(GraphKey.Of(content, GraphOptimization.All, "1.2", GraphKey.Describe(["nothing\t: known"])));
    }

    [Fact]
    public void KeyOf_WhatIsNotKept_IsNull()
    {
        using var content = Content(1);
        using var secret = Content(1);
        secret.IsSecret = true;
        var (graphs, plan, settings) = (Graphs(), SessionPlan.OnCpu(ModelSettings.Default), ModelSettings.Default);

        Assert.NotNull(graphs.KeyOf(content, plan, settings, "1"));
        Assert.Null(graphs.KeyOf(secret, plan, settings, "1"));
        Assert.Null(graphs.KeyOf(content, SessionPlan.OnOpenVino(settings, null), settings, "1"));
        Assert.Null(graphs.KeyOf(content, plan, settings with { GraphOptimization = GraphOptimization.Disable }, "1"));
        Assert.Null(Graphs(mebibytes: 0).KeyOf(content, plan, settings, "1"));
    }

    public void Dispose() => _folder.Dispose();

    private static VersionContent Content(byte digest) => new() { FileName = "model.onnx", Digest = new[] { digest } };

    private static void Write(string file, int kibibytes) => File.WriteAllBytes(file, new byte[kibibytes * Kibibyte]);

    private static void Damage(FileStream file, string damage)
    {
        if (damage == "cut")
        {
            file.SetLength(file.Length - 1);
            return;
        }

        file.Position = file.Length / 2;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 1));
    }

    private static byte[] Pixels(LoadedModel model) =>
        OnnxBench.Bytes([.. Enumerable.Range(0, (int)model.Signature.Inputs[0].Dimensions![1..].Aggregate(1L, static (product, dimension) => product * dimension.Range.Min)).Select(static i => i % 7 / 7f)]);

    private static ModelDescription Describe(LoadedModel model) => model.Describe(VersionPolicy.All, ModelSettings.Default, queueLimit: 1);

    private OptimizedGraphs Graphs(int mebibytes = 64) =>
        bench.NewGraphs(new GraphCacheOptions { Folder = Cache, MaxMiB = mebibytes, LeastOpening = TimeSpan.Zero }, _time);

    private SessionFactory Sessions() => bench.NewSessions(OnnxBench.NewReader(CheckedFile.Open), Graphs());
}
