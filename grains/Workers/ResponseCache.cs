using System.Buffers.Binary;
using System.Security.Cryptography;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Workers;

/// <summary>
/// Answers of one replica by the content of their requests: all fields but the id. The key is a SHA-256, because clients choose the content and must not find two of one key.
/// Bounded by bytes; the answer that was not asked for the longest goes first. Safe from any thread.
/// </summary>
/// <param name="capacity">Bytes of answers, at least 1.</param>
internal sealed class ResponseCache(long capacity)
{
    /// <summary>Beside an answer's bytes: its key, its places in the table and in the order.</summary>
    private const int EntryBytes = 200;

    private readonly Lock _lock = new();
    private readonly Dictionary<UInt256, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _order = [];
    private long _bytes;

    /// <summary>The key of a request that parses.</summary>
    /// <exception cref="Contracts.Errors.ServingException">INVALID_ARGUMENT: it does not.</exception>
    public static UInt256 KeyOf(ReadOnlySpan<byte> request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reader = new ProtoReader(request, "ModelInferRequest");
        for (var start = 0; reader.Next(); start = reader.Position)
        {
            reader.Skip();
            if (reader.Field != InferFields.Id)
            {
                hash.AppendData(request[start..reader.Position]);
            }
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return UInt256.Read(digest);
    }

    /// <summary>The answer to such a request, with its own id; null where there is none. The caller owns it.</summary>
    /// <param name="request">Whose id the answer gets.</param>
    public PayloadBuffer? Find(UInt256 key, ReadOnlySpan<byte> request)
    {
        Entry entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node))
            {
                return null;
            }

            _order.Remove(node);
            _order.AddLast(node);
            entry = node.Value;
        }

        var id = IdOf(request);
        var answer = PayloadBuffer.Rent(entry.Answer.Length + ProtoWriter.OptionalFieldSize(InferFields.Id, id.Length), entry.Padding);
        entry.Answer.CopyTo(answer.Span);
        var writer = new ProtoWriter(answer.Span[entry.Answer.Length..]);
        writer.WriteOptionalField(InferFields.Id, id);
        return answer;
    }

    /// <summary>Keeps a copy of an answer, if there can be room for it.</summary>
    public void Add(UInt256 key, ReadOnlySpan<byte> answer)
    {
        if (answer.Length + EntryBytes > capacity)
        {
            return;
        }

        var entry = Entry.Of(key, answer);
        lock (_lock)
        {
            if (_entries.ContainsKey(key))
            {
                return;
            }

            _entries.Add(key, _order.AddLast(entry));
            _bytes += entry.Answer.Length + EntryBytes;
            while (_bytes > capacity && _order.First is { } oldest)
            {
                _order.RemoveFirst();
                _entries.Remove(oldest.Value.Key);
                _bytes -= oldest.Value.Answer.Length + EntryBytes;
            }
        }
    }

    private static ReadOnlySpan<byte> IdOf(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> id = [];
        var reader = new ProtoReader(message, "ModelInferRequest");
        while (reader.Next())
        {
            if (reader.Field == InferFields.Id)
            {
                id = reader.ReadString().Of(message);
            }
            else
            {
                reader.Skip();
            }
        }

        return id;
    }

    /// <param name="Answer">Without an id.</param>
    /// <param name="Padding">Bytes before it, so that its first tensor is aligned.</param>
    private sealed record Entry(UInt256 Key, byte[] Answer, int Padding)
    {
        public static Entry Of(UInt256 key, ReadOnlySpan<byte> answer)
        {
            var kept = new byte[answer.Length];
            var (length, firstTensor) = (0, 0);
            var reader = new ProtoReader(answer, "ModelInferResponse");
            for (var start = 0; reader.Next(); start = reader.Position)
            {
                var content = reader.Field == InferFields.RawOutputContents ? reader.ReadSlice().Offset : Skip(ref reader);
                if (reader.Field == InferFields.Id)
                {
                    continue;
                }

                firstTensor = firstTensor == 0 && content > 0 ? length + content - start : firstTensor;
                answer[start..reader.Position].CopyTo(kept.AsSpan(length));
                length += reader.Position - start;
            }

            return new Entry(key, length == kept.Length ? kept : kept[..length], -firstTensor & (PayloadBuffer.TensorAlignment - 1));
        }

        private static int Skip(ref ProtoReader reader)
        {
            reader.Skip();
            return 0;
        }
    }
}

/// <summary>The bytes of a SHA-256.</summary>
internal readonly record struct UInt256(ulong First, ulong Second, ulong Third, ulong Fourth)
{
    public static UInt256 Read(ReadOnlySpan<byte> digest) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(digest),
        BinaryPrimitives.ReadUInt64LittleEndian(digest[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(digest[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(digest[24..]));
}
