using System.Buffers;
using System.Globalization;
using Cluster.Contracts.Buffers;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Frames with bytes changed, cut, repeated and inserted: reading ends, with whole messages or an error, and holds no memory.</summary>
[Collection(nameof(TransportCollection))]
public sealed class FrameFuzzTests
{
    private static readonly int[] Sizes = [0, 1, 23, 24, 25, 100, 8 << 10, 20_000];

    [Fact]
    public Task Frames_ThatAreDamaged_EndTheirConnectionAtMost() => FuzzAsync(20_000);

    [Fact, Trait("Category", "Soak")]
    public Task Frames_ManyThatAreDamaged_EndTheirConnectionAtMost() => FuzzAsync(600_000);

    private static async Task FuzzAsync(int few)
    {
        var (frames, seed) = (FuzzRun.Cases(few), FuzzRun.Seed(1));
        var buffers = new Buffers();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{frames} frames, seed {seed}"));
        var random = new Random(seed);
        var ends = 0;
        for (var i = 0; i < frames; i++)
        {
            var bytes = Frames(random);
            Mutate(random, bytes);
            ends += await ReadAsync(bytes.ToArray(), random) ? 1 : 0;
        }

        // Some mutations leave valid frames, most do not.
        Assert.InRange(ends, frames / 4, frames);
        await buffers.AllBackAsync();
    }

    private static List<byte> Frames(Random random)
    {
        var bytes = new List<byte>();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var message = new byte[random.Next(1, 200)];
            var payloads = Enumerable.Range(0, random.Next(0, 3)).Select(_ => Math.Max(1, Sizes[random.Next(Sizes.Length)])).ToArray();
            var isLarge = payloads.Length > 0 && random.Next(3) == 0;
            var flush = (uint)random.Next();
            Append(bytes, new FrameHeader(isLarge ? FrameKind.Large : FrameKind.Messages, payloads.Length, message.Length, flush, payloads.Sum()));
            bytes.AddRange(message);
            for (var place = 0; place < payloads.Length; place++)
            {
                var entry = new byte[FrameHeader.EntrySize];
                using var payload = PayloadBuffer.Rent(payloads[place], random.Next(8));
                FrameHeader.WriteEntry(entry, payload, place);
                bytes.AddRange(entry);
            }

            foreach (var payload in payloads)
            {
                for (var left = payload; left > 0;)
                {
                    var piece = isLarge ? random.Next(1, left + 1) : left;
                    if (isLarge)
                    {
                        Append(bytes, new FrameHeader(FrameKind.Piece, 0, 0, flush, piece));
                    }

                    bytes.AddRange(new byte[piece]);
                    left -= piece;
                }
            }
        }

        return bytes;
    }

    private static void Append(List<byte> bytes, FrameHeader header)
    {
        var head = new byte[FrameHeader.Size];
        header.Write(head);
        bytes.AddRange(head);
    }

    private static void Mutate(Random random, List<byte> bytes)
    {
        for (var i = random.Next(1, 4); i > 0 && bytes.Count > 0; i--)
        {
            // Most of the bytes are payload, whose content means nothing here.
            var at = random.Next(Math.Min(bytes.Count, random.Next(4) == 0 ? bytes.Count : 300));
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
                default:
                    byte[] extreme = random.Next(2) == 0 ? [0xff, 0xff, 0xff, 0x7f] : [0xff, 0xff, 0xff, 0xff];
                    for (var offset = 0; offset < extreme.Length && at + offset < bytes.Count; offset++)
                    {
                        bytes[at + offset] = extreme[offset];
                    }

                    break;
            }
        }
    }

    /// <returns>Whether it ended with fault found.</returns>
    private static async Task<bool> ReadAsync(byte[] bytes, Random random)
    {
        Exception? fault = null;
        var reader = new FrameReader(new BytesChannel(bytes, random), new TransportOptions(), TimeProvider.System, reason => fault = reason);
        var whole = 0L;
        while (true)
        {
            var result = await reader.ReadAsync();
            if (result.IsCompleted)
            {
                break;
            }

            Assert.True(result.Buffer.Length > 0);
            whole += result.Buffer.Length;
            Assert.NotNull(IncomingPayloads.Current);
            reader.AdvanceTo(result.Buffer.End);
            Assert.Null(IncomingPayloads.Current);
        }

        Assert.True(whole <= bytes.Length);
        Assert.True(fault is null or InvalidDataException, fault?.ToString());
        reader.Complete();
        return fault is not null;
    }

    /// <summary>Bytes that come in parts of any size, some of them later.</summary>
    private sealed class BytesChannel(byte[] bytes, Random random) : IFrameChannel
    {
        private int _position;

        public ValueTask SendAsync(List<ArraySegment<byte>> bytes) => throw new NotSupportedException();

        public async ValueTask<int> ReceiveAsync(Memory<byte> target)
        {
            if (random.Next(50) == 0)
            {
                await Task.Yield();
            }

            var count = Math.Min(Math.Min(target.Length, bytes.Length - _position), random.Next(4) == 0 ? random.Next(1, 50) : int.MaxValue);
            bytes.AsMemory(_position, count).CopyTo(target);
            _position += count;
            return count;
        }

        public void EndReceive()
        {
        }

        public void Close()
        {
        }
    }
}
