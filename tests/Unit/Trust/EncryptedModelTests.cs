using Cluster.Grains.Trust;
using Cluster.Silo.Trust;
using Xunit;

namespace Cluster.Unit.Trust;

public sealed class EncryptedModelTests : IDisposable
{
    private const int Chunk = EncryptedHeader.ChunkSize + EncryptedHeader.TagSize;

    private readonly TrustBench _bench = new();
    private readonly float[] _weights = [.. Enumerable.Range(0, (3 * EncryptedHeader.ChunkSize / sizeof(float)) + 5).Select(static i => (float)i)];
    private readonly byte[] _graph;

    public EncryptedModelTests()
    {
        _bench.Options = new ModelTrustOptions { KeyFile = _bench.Options.KeyFile };
        _bench.AddExternal("m", 1, _weights);
        _bench.AddExternal("m", 2, 3, 4);
        _bench.Write("m/model.json", """{ "version_policy": { "all": {} } }""");
        _graph = File.ReadAllBytes(_bench["m/1/model.onnx"]);
        _bench.Encrypt("m");
    }

    [Fact]
    public void Read_EncryptedVersion_GivesThePlainFilesOutOfMemory()
    {
        Assert.Equal(["model.onnx.enc", "w.bin.enc"], Directory.EnumerateFiles(_bench["m/1"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var taken = MemoryFile.Total;

        var content = _bench.Read("m");

        Assert.True(content.IsSecret);
        Assert.Equal(_graph, content.Graph!.Bytes.ToArray());
        Assert.Equal(_weights, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(content.External["w.bin"].Bytes).ToArray());
        Assert.StartsWith("/proc/self/fd/", content.Graph.Path, StringComparison.Ordinal);
        Assert.True(MemoryFile.Total >= taken + content.External["w.bin"].Length);
        content.Dispose();
        Assert.Throws<ObjectDisposedException>(() => content.Graph.Path);
    }

    [Fact]
    public void Dispose_SecretFile_IsOverwritten()
    {
        var file = MemoryFile.Create(5000, isSecret: true, hasPath: true);
        file.Bytes.Fill(7);
        using var other = File.OpenRead(file.Path);

        file.Dispose();

        var left = new byte[5000];
        other.ReadExactly(left);
        Assert.Equal(new byte[5000], left);
    }

    [Theory]
    [InlineData("truncated", "is cut off")]
    [InlineData("truncated at a chunk", "chunk 3 has another content, place or key")]
    [InlineData("truncated in a chunk", "chunk 3 has another content, place or key")]
    [InlineData("reordered", "chunk 1 has another content, place or key")]
    [InlineData("repeated", "chunk 2 has another content, place or key")]
    [InlineData("appended", "chunk 4 has another content, place or key")]
    [InlineData("left out", "chunk 2 has another content, place or key")]
    [InlineData("magic", "is no encrypted file of the format that is read here")]
    [InlineData("prefix", "chunk 1 has another content, place or key")]
    [InlineData("tag", "chunk 4 has another content, place or key")]
    [InlineData("empty", "is no encrypted file of the format that is read here")]
    [InlineData("header alone", "is cut off")]
    public void Read_FileThatIsNotWhatWasEncrypted_IsRefused(string how, string expected)
    {
        var whole = File.ReadAllBytes(_bench["m/1/w.bin.enc"]);
        var header = EncryptedHeader.Read(whole, out var size);
        Assert.NotNull(header);
        var (start, chunks) = (whole[..size], whole[size..].Chunk(Chunk).ToArray());
        Assert.Equal(4, chunks.Length);
        byte[] Join(params byte[][] parts) => OnnxBytes.Join([start, .. parts]);
        byte[] Flip(int at)
        {
            var flipped = (byte[])whole.Clone();
            flipped[at] ^= 1;
            return flipped;
        }

        _bench.Write("m/1/w.bin.enc", how switch
        {
            "truncated" => whole[..^(chunks[3].Length - 3)],
            "truncated at a chunk" => Join(chunks[0], chunks[1], chunks[2]),
            "truncated in a chunk" => Join(chunks[0], chunks[1], chunks[2][..1000]),
            "reordered" => Join(chunks[1], chunks[0], chunks[2], chunks[3]),
            "repeated" => Join(chunks[0], chunks[0], chunks[1], chunks[2], chunks[3]),
            "appended" => Join(chunks[0], chunks[1], chunks[2], chunks[2], chunks[3]),
            "left out" => Join(chunks[0], chunks[2], chunks[3]),
            "magic" => Flip(0),
            "prefix" => Flip(8 + 1 + 2 + header.KeyId.Length),
            "tag" => Flip(whole.Length - 1),
            "empty" => [],
            _ => start,
        });

        Assert.Equal($"'w.bin.enc' {(expected.StartsWith("chunk", StringComparison.Ordinal) ? "is not what was encrypted: " : "")}{expected}", _bench.Refuse("m"));
    }

    [Fact]
    public void Read_EveryByteOfTheHeaderFlipped_IsRefused()
    {
        var bytes = File.ReadAllBytes(_bench["m/2/model.onnx.enc"]);
        EncryptedHeader.Read(bytes, out var size);
        for (var at = 0; at < size; at++)
        {
            _bench.Flip("m/2/model.onnx.enc", at);
            Assert.NotEmpty(_bench.Refuse("m", 2));
            _bench.Flip("m/2/model.onnx.enc", at);
        }

        _bench.Read("m", 2).Dispose();
    }

    [Fact]
    public void Read_FileOfAnotherVersionModelOrName_IsRefused()
    {
        File.Copy(_bench["m/1/w.bin.enc"], _bench["m/2/w.bin.enc"], overwrite: true);
        Assert.Equal("'w.bin.enc' was encrypted as 'w.bin' of model 'm' version 1", _bench.Refuse("m", 2));
        File.Copy(_bench["m/1/model.onnx.enc"], _bench["m/1/w.bin.enc"], overwrite: true);
        Assert.Equal("'w.bin.enc' was encrypted as 'model.onnx' of model 'm' version 1", _bench.Refuse("m"));
        Directory.Move(_bench["m"], _bench["other"]);
        Assert.Equal("'model.onnx.enc' was encrypted as 'model.onnx' of model 'm' version 1", _bench.Refuse("other"));
    }

    [Fact]
    public void Read_WithoutTheKey_IsRefused()
    {
        _ = KeyMaker.Make("encrypt", _bench["../others"]).ToList();
        var (own, others) = (_bench.Options.KeyFile!, _bench[$"../others/{KeyMaker.EncryptionKey}"]);
        _bench.Options = new ModelTrustOptions { KeyFile = others };
        Assert.Matches("^'model.onnx.enc' is encrypted with the key '[0-9a-f]{16}', which is none of --model-key-file$", _bench.Refuse("m"));
        _bench.Options = new ModelTrustOptions();
        Assert.Equal("'model.onnx.enc' is encrypted, and this silo was started without --model-key-file", _bench.Refuse("m"));

        File.AppendAllText(others, Convert.ToHexString(Convert.FromBase64String(File.ReadAllText(own))) + "\n# a comment\n");
        _bench.Options = new ModelTrustOptions { KeyFile = others };
        _bench.Read("m").Dispose();
    }

    [Fact]
    public void Read_PlainBesideEncrypted_IsRefused()
    {
        _bench.Write("m/1/w.bin", new byte[8]);
        Assert.Equal("external data 'w.bin' is there both as it is and encrypted", _bench.Refuse("m"));
        _bench.Write("m/1/model.onnx", _graph);
        Assert.Equal("'1' has both 'model.onnx' and 'model.onnx.enc'", _bench.Spec("m").Source.Problem);
    }

    [Fact]
    public void Read_EncryptedAndSigned_IsCheckedForBoth()
    {
        _bench.Options = new ModelTrustOptions { RequireSigned = true, Keys = _bench.KeyPath(KeyMaker.SigningPublicKey), KeyFile = _bench.Options.KeyFile };
        Assert.Equal("it has no manifest.json, which --require-signed-models wants", _bench.Refuse("m"));
        _bench.Sign("m");
        _bench.Read("m").Dispose();

        // The encryption holds, but it is not what was signed.
        File.Delete(_bench["m/2/w.bin.enc"]);
        _bench.Write("m/2/w.bin", System.Runtime.InteropServices.MemoryMarshal.AsBytes([3f, 4f]).ToArray());
        Assert.Equal("file 'w.bin' was not signed: manifest.json does not list it", _bench.Refuse("m", 2));
    }

    [Fact]
    public void Read_EncryptedBeyondALimit_IsRefusedBeforeMemoryIsTaken()
    {
        _bench.Options = new ModelTrustOptions { KeyFile = _bench.Options.KeyFile, MaxFileBytes = _graph.Length - 1 };

        Assert.Equal($"'model.onnx.enc' has {_graph.Length} bytes; Models:MaxFileBytes allows {_graph.Length - 1}", _bench.Refuse("m"));
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(1, 17)]
    [InlineData(EncryptedHeader.ChunkSize, Chunk)]
    [InlineData(EncryptedHeader.ChunkSize + 1, Chunk + 17)]
    public void PlainLength_OfWhatIsSealed_IsTheLength(long plain, long body)
    {
        Assert.Equal(plain, EncryptedHeader.PlainLength(body));
        Assert.Null(EncryptedHeader.PlainLength(0));
        Assert.Null(EncryptedHeader.PlainLength(15));
        Assert.Null(EncryptedHeader.PlainLength(Chunk + 16));
        Assert.Null(EncryptedHeader.PlainLength(-1));
    }

    public void Dispose() => _bench.Dispose();
}
