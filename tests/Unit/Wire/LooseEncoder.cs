using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Unit.Wire;

/// <summary>
/// Encodes a request in a legal form that no generated code writes: varints longer than needed, shapes unpacked or packed in pieces, fields in
/// another order, unknown fields and groups in between. What it chooses depends on the seed alone.
/// </summary>
internal sealed class LooseEncoder(int seed)
{
    private readonly Random _random = new(seed);

    public byte[] Encode(ModelInferRequest request)
    {
        var queues = new List<Queue<byte[]>>
        {
            new([Field(1, Utf8(request.ModelName))]),
            new([Field(2, Utf8(request.ModelVersion))]),
            new([Field(3, Utf8(request.Id))]),
            new(request.Parameters.Select(entry => Field(4, Entry(entry.Key, entry.Value)))),
            new(request.Inputs.Select(input => Field(5, Input(input)))),
            new(request.Outputs.Select(output => Field(6, Output(output)))),
            new(request.RawInputContents.Select(raw => Field(7, raw.ToByteArray()))),
        };
        return Interleave(queues);
    }

    private byte[] Input(ModelInferRequest.Types.InferInputTensor input)
    {
        var shape = new Queue<byte[]>();
        for (var i = 0; i < input.Shape.Count;)
        {
            if (_random.Next(2) == 0)
            {
                shape.Enqueue([.. Varint((3 << 3) | 0), .. Varint((ulong)input.Shape[i++])]);
                continue;
            }

            var count = _random.Next(0, input.Shape.Count - i + 1);
            shape.Enqueue(Field(3, [.. input.Shape.Skip(i).Take(count).SelectMany(size => Varint((ulong)size))]));
            i += count;
        }

        var queues = new List<Queue<byte[]>>
        {
            new([Field(1, Utf8(input.Name))]),
            new([Field(2, Utf8(input.Datatype))]),
            shape,
            new(input.Parameters.Select(entry => Field(4, Entry(entry.Key, entry.Value)))),
        };
        if (input.Contents is { } contents)
        {
            queues.Add(new([Field(5, contents.ToByteArray())]));
        }

        return Interleave(queues);
    }

    private byte[] Output(ModelInferRequest.Types.InferRequestedOutputTensor output) => Interleave(
    [
        new([Field(1, Utf8(output.Name))]),
        new(output.Parameters.Select(entry => Field(2, Entry(entry.Key, entry.Value)))),
    ]);

    private byte[] Entry(string key, InferParameter value) =>
        Interleave([new([Field(1, Utf8(key))]), new([Field(2, [.. value.ToByteArray(), .. Unknown()])])]);

    /// <summary>Takes from the queues in a random order, keeping the order within each.</summary>
    private byte[] Interleave(List<Queue<byte[]>> queues)
    {
        using var bytes = new MemoryStream();
        while (queues.RemoveAll(static queue => queue.Count == 0) >= 0 && queues.Count > 0)
        {
            bytes.Write(Unknown());
            bytes.Write(queues[_random.Next(queues.Count)].Dequeue());
        }

        bytes.Write(Unknown());
        return bytes.ToArray();
    }

    /// <summary>Nothing, or a field that the format does not have.</summary>
    private byte[] Unknown() => _random.Next(8) switch
    {
        0 => [.. Varint((100 << 3) | 0), .. Varint(ulong.MaxValue)],
        1 => [.. Varint((101 << 3) | 1), 1, 2, 3, 4, 5, 6, 7, 8],
        2 => Field(536_870_911, [0xFF, 0xFE]),
        3 => [.. Varint((103 << 3) | 5), 1, 2, 3, 4],
        4 => [.. Varint((104 << 3) | 3), .. Varint((5 << 3) | 0), 7, .. Varint((105 << 3) | 3), .. Varint((105 << 3) | 4), .. Varint((104 << 3) | 4)],
        _ => [],
    };

    private byte[] Field(int field, byte[] value) => [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)value.Length), .. value];

    private byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);

        // Five bytes are the most that every reader takes for a tag or a length.
        while (bytes.Count < 5 && _random.Next(3) == 0)
        {
            bytes[^1] |= 0x80;
            bytes.Add(0);
        }

        return [.. bytes];
    }

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
