using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>The top-level fields of a <c>ModelInferRequest</c> that routing needs; tensors are passed over unread.</summary>
/// <param name="Timeout">How long its client gives the request by the parameter <c>timeout</c>; null for no limit.</param>
/// <param name="Refusal">What <see cref="ParameterRules"/> have against its parameters, or null.</param>
public readonly record struct InferRequestHeader(Slice ModelName, Slice ModelVersion, Slice Id, TimeSpan? Timeout, Failure? Refusal)
{
    /// <summary>Reads the header fields wherever they stand in <paramref name="message"/>.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: the bytes are not a protobuf message.</exception>
    public static InferRequestHeader Scan(ReadOnlySpan<byte> message)
    {
        Slice name = default, version = default, id = default;
        TimeSpan? timeout = null;
        Failure? refusal = null;
        var reader = new ProtoReader(message, "ModelInferRequest");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferFields.ModelName:
                    name = reader.ReadString();
                    break;
                case InferFields.ModelVersion:
                    version = reader.ReadString();
                    break;
                case InferFields.Id:
                    id = reader.ReadString();
                    break;
                case InferFields.Parameters:
                    var parameter = ParameterParser.Parse(message, reader.ReadSlice());
                    refusal ??= ParameterRules.Read(parameter.Key.Of(message), parameter.Kind, parameter.Bits, ref timeout);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new InferRequestHeader(name, version, id, timeout, refusal);
    }

    /// <summary>
    /// Bytes to leave free in front of a message, 0 to 7, so that its first raw tensor starts at a multiple of 8. <paramref name="beginning"/> may be cut off anywhere; 0 where it shows no raw tensor.
    /// </summary>
    public static int PaddingFor(ReadOnlySpan<byte> beginning)
    {
        var position = 0;
        while (TryReadVarint(beginning, ref position, out var tag))
        {
            var wireType = (WireType)(tag & 7);
            if (wireType == WireType.Varint)
            {
                if (!TryReadVarint(beginning, ref position, out _))
                {
                    break;
                }

                continue;
            }

            if (wireType != WireType.LengthDelimited || !TryReadVarint(beginning, ref position, out var length))
            {
                break;
            }

            if (tag >> 3 == InferFields.RawInputContents)
            {
                return -position & (Buffers.PayloadBuffer.TensorAlignment - 1);
            }

            if (length > (ulong)(beginning.Length - position))
            {
                break;
            }

            position += (int)length;
        }

        return 0;
    }

    private static bool TryReadVarint(ReadOnlySpan<byte> bytes, ref int position, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 70 && position < bytes.Length; shift += 7)
        {
            var next = bytes[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
