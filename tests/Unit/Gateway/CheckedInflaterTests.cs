using System.IO.Compression;
using System.Text;
using Cluster.Gateway.Compression;
using Xunit;

namespace Cluster.Unit.Gateway;

public sealed class CheckedInflaterTests
{
    private static readonly byte[] Plain = RandomBytes(50_000);

    public static TheoryData<string, bool, int> Ways()
    {
        var ways = new TheoryData<string, bool, int>();
        foreach (var format in (string[])["gzip", "deflate"])
        {
            foreach (var async in (bool[])[false, true])
            {
                foreach (var step in (int[])[1, 7, 1 << 20])
                {
                    ways.Add(format, async, step);
                }
            }
        }

        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Read_Whole_GivesAll(string format, bool async, int step)
    {
        foreach (var length in (int[])[0, 1, 10, Plain.Length])
        {
            Assert.Equal(Plain[..length], await InflateAsync(format, Compress(format, Plain[..length]), async, step));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Read_CutAnywhere_Throws(string format, bool async, int step)
    {
        var whole = Compress(format, Plain[..300]);
        for (var length = 1; length < whole.Length; length++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => InflateAsync(format, whole[..length], async, step));
        }

        var large = Compress(format, Plain);
        foreach (var missing in (int[])[1, 4, 8, 9, 1003, 20_000, 35_000])
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => InflateAsync(format, large[..^missing], async, step));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Read_BytesAfterTheEnd_Throws(string format, bool async, int step)
    {
        var whole = Compress(format, Plain[..300]);
        byte[][] tails = [[0], [0x1F], [0x1F, 0x8B], whole, whole[^8..], RandomBytes(8), RandomBytes(40_000)];
        foreach (var tail in tails)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => InflateAsync(format, [.. whole, .. tail], async, step));
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Read_AnyBitOfTheTrailerFlipped_Throws(string format)
    {
        var whole = Compress(format, Plain[..300]);
        for (var bit = 0; bit < 8 * (format == "gzip" ? 8 : 4); bit++)
        {
            var damaged = whole.ToArray();
            damaged[^(1 + (bit / 8))] ^= (byte)(1 << (bit % 8));
            await Assert.ThrowsAsync<InvalidDataException>(() => InflateAsync(format, damaged, async: false, step: 1 << 20));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(31)]
    public async Task Read_GzipHeaderWithOptionalFields_IsPassedOver(int flags)
    {
        var header = new List<byte> { 0x1F, 0x8B, 8, (byte)flags, 0, 0, 0, 0, 0, 255 };
        header.AddRange((flags & 4) != 0 ? [3, 0, 1, 2, 3] : []);
        header.AddRange((flags & 8) != 0 ? [.. "name"u8, 0] : []);
        header.AddRange((flags & 16) != 0 ? [.. "comment"u8, 0] : []);
        header.AddRange((flags & 2) != 0 ? [0xAB, 0xCD] : []);
        byte[] whole = [.. header, .. Compress("gzip", Plain)[10..]];

        Assert.Equal(Plain, await InflateAsync("gzip", whole, async: true, step: 1));
        for (var length = 1; length < header.Count; length++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => InflateAsync("gzip", whole[..length], async: false, step: 1 << 20));
        }
    }

    [Fact]
    public async Task Read_GzipHeaderWithoutEnd_ThrowsEarly()
    {
        byte[] endless = [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 255, .. Encoding.ASCII.GetBytes(new string('x', 1 << 20))];
        using var source = new MemoryStream(endless);

        await Assert.ThrowsAsync<InvalidDataException>(() => CheckedInflater.Gzip(source).ReadAsync(new byte[1]).AsTask());

        Assert.InRange(source.Position, 1, 64 << 10);
    }

    [Theory]
    [InlineData("gzip", new byte[] { 0x1F, 0x8B, 7, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData("gzip", new byte[] { 0x1F, 0x8B, 8, 0x20, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData("deflate", new byte[] { 0x78, 0xBB, 1, 2, 3, 4, 5, 6, 7, 8 })] // asks for a preset dictionary
    [InlineData("deflate", new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 })]
    public async Task Read_NotOfTheFormat_Throws(string format, byte[] bytes) =>
        await Assert.ThrowsAsync<InvalidDataException>(() => InflateAsync(format, bytes, async: true, step: 3));

    private static byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Compress(string format, byte[] plain)
    {
        var target = new MemoryStream();
        using (Stream deflater = format == "gzip"
            ? new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)
            : new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflater.Write(plain);
        }

        return target.ToArray();
    }

    private static async Task<byte[]> InflateAsync(string format, byte[] compressed, bool async, int step)
    {
        using var source = new Trickle(compressed, step);
        using var inflater = format == "gzip" ? CheckedInflater.Gzip(source) : CheckedInflater.Zlib(source);
        var target = new MemoryStream();
        if (async)
        {
            await inflater.CopyToAsync(target);
        }
        else
        {
            inflater.CopyTo(target);
        }

        return target.ToArray();
    }

    /// <summary>Gives at most so many bytes at once.</summary>
    private sealed class Trickle(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(step, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(step, buffer.Length)], cancellationToken);
    }
}
