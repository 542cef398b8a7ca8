using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Cluster.Conformance.RealModels;

/// <summary>Reads 16-bit mono PCM.</summary>
internal static class WavFile
{
    private const int ChunkHeader = 8;
    private const int FirstChunk = 12;

    /// <summary>Samples from −1 to 1.</summary>
    public static float[] Read(string path)
    {
        var file = File.ReadAllBytes(path);
        for (var position = FirstChunk; position + ChunkHeader <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(position + 4));
            if (file.AsSpan(position, 4).SequenceEqual("data"u8))
            {
                var samples = MemoryMarshal.Cast<byte, short>(file.AsSpan(position + ChunkHeader, length));
                return [.. samples.ToArray().Select(sample => sample / 32768f)];
            }

            position += ChunkHeader + length + (length & 1);
        }

        throw new InvalidDataException($"{path} has no data chunk");
    }
}
