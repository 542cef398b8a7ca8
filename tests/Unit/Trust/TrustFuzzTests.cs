using Cluster.Contracts.Errors;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Trust;
using Cluster.Silo.Trust;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Trust;

/// <summary>Damaged files through everything that reads them: each is refused as a load is refused, or read; nothing else, and soon.</summary>
public sealed class TrustFuzzTests(ITestOutputHelper output)
{
    private const int Seed = 28;
    private static readonly ModelTrustOptions Limits = new() { MaxNodes = 1000, MaxInitializers = 1000, MaxDepth = 8, MaxInitializerBytes = 1 << 30 };

    [Fact]
    public void Read_DamagedFiles_AreRefusedOrRead() => Run(20_000);

    [Fact]
    [Trait("Category", "Soak")]
    public void Read_ManyDamagedFiles_AreRefusedOrRead() => Run(600_000);

    private void Run(int few)
    {
        var count = FuzzRun.Cases(few);
        using var bench = new TrustBench();
        bench.AddExternal("m", 1, [.. Enumerable.Range(0, 64).Select(static i => (float)i)]);
        bench.Write("m/model.json", """{ "concurrency": 2, "input_shapes": { "x": [2] } }""");
        bench.Encrypt("m");
        bench.Sign("m");
        var keys = SignatureKeys.Parse(File.ReadAllText(bench.KeyPath(KeyMaker.SigningPublicKey)));
        var (manifest, signature) = (File.ReadAllBytes(bench["m/1/manifest.json"]), File.ReadAllBytes(bench["m/1/manifest.sig"]));
        var models = Directory.EnumerateFiles(TestPaths.TestModels, "*.onnx", SearchOption.AllDirectories).Select(File.ReadAllBytes).Where(static bytes => bytes.Length is > 0 and < 4096)
            .Append(OnnxBytes.Model(OnnxBytes.Part(1, OnnxBytes.Node("If", "c", "c", "o", OnnxBytes.Nested(6))), OnnxBytes.Part(5, OnnxBytes.External("w", 2, ("location", "w.bin"), ("offset", "4")))))
            .ToArray();
        (string Name, byte[][] Seeds, Func<byte[], bool> Read)[] readers =
        [
            ("model", models, static bytes => ModelScanner.Scan(bytes, "m.onnx", Limits).Nodes >= 0),
            ("manifest", [manifest], static bytes => ReadManifest(bytes)),
            ("signature", [signature], bytes => ReadSignature(bytes, keys, manifest)),
            ("header", [File.ReadAllBytes(bench["m/1/model.onnx.enc"]), File.ReadAllBytes(bench["m/1/w.bin.enc"])], static bytes => ReadHeader(bytes)),
        ];
        var random = new Random(FuzzRun.Seed(Seed));
        var read = new int[readers.Length];
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < count; i++)
        {
            var (_, seeds, reader) = readers[i % readers.Length];
            var bytes = Damage(seeds[random.Next(seeds.Length)], random);
            var start = TimeProvider.System.GetTimestamp();
            try
            {
                read[i % readers.Length] += reader(bytes) ? 1 : 0;
            }
            catch (ServingException exception)
            {
                Assert.Equal(StatusCode.Unavailable, exception.Failure.Code);
                Assert.InRange(exception.Failure.Message.Length, 1, 8192);
            }

            var took = TimeProvider.System.GetElapsedTime(start);
            slowest = took > slowest ? took : slowest;
        }

        output.WriteLine($"{count} files; read all the same: {string.Join(", ", readers.Zip(read, static (reader, times) => $"{reader.Name} {times}"))}; slowest {slowest.TotalMilliseconds:0.0} ms");
        Assert.True(read[0] > 0, "no damaged model was still read: the damage is too great to test the reader");

        // Nothing that was not signed passes for signed.
        Assert.Equal(0, read[2]);
    }

    private static byte[] Damage(byte[] seed, Random random)
    {
        var bytes = (byte[])seed.Clone();
        for (var times = random.Next(1, 5); times > 0 && bytes.Length > 1; times--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes = bytes[..at];
                    break;
                case 3:
                    bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..], .. bytes[at..]];
                    bytes = bytes.Length > 64_000 ? bytes[..64_000] : bytes;
                    break;
                case 4:
                    // A varint of ten bytes: lengths and counts beyond everything.
                    bytes = [.. bytes[..at], 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, .. bytes[Math.Min(bytes.Length, at + 1)..]];
                    break;
                default:
                    var length = random.Next(Math.Min(16, bytes.Length - at));
                    random.NextBytes(bytes.AsSpan(at, length));
                    break;
            }
        }

        return bytes.AsSpan().SequenceEqual(seed) ? [.. bytes, 0] : bytes;
    }

    private static bool ReadManifest(byte[] bytes)
    {
        var errors = new JsonErrors();
        var manifest = Manifest.Read(bytes, errors);
        Assert.NotEqual(manifest is null, !errors.Any);
        return manifest is not null && (manifest.Definition(errors) is not null || errors.Any);
    }

    private static bool ReadSignature(byte[] bytes, SignatureKeys keys, byte[] manifest)
    {
        var errors = new JsonErrors();
        var original = ManifestSignature.Read(bytes, errors);
        Assert.NotEqual(original is null, !errors.Any);

        // White space in the file is no other signature: then the manifest itself is the damaged one.
        return original is not null && keys.Verify(original.KeyId, [.. manifest, 0], original.Value) == true;
    }

    private static bool ReadHeader(byte[] bytes)
    {
        var header = EncryptedHeader.Read(bytes, out var size);
        Assert.InRange(size, 0, Math.Min(bytes.Length, EncryptedHeader.MaxSize));
        return header is not null && EncryptedHeader.PlainLength(bytes.Length - size) is null or >= 0 && header is not null;
    }
}
