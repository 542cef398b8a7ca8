namespace Cluster.Contracts.Wire;

/// <summary>Reads entries of <c>parameters</c> maps.</summary>
internal static class ParameterParser
{
    public static InferParameterValue Parse(ReadOnlySpan<byte> message, Slice range)
    {
        var key = ParseKey(message, range, out var value);
        var parameter = new InferParameterValue(key, InferParameterKind.None, 0, default);
        var reader = new ProtoReader(message, value, "InferParameter");
        while (reader.Next())
        {
            switch ((InferParameterKind)reader.Field)
            {
                case InferParameterKind.Bool:
                    parameter = new(key, InferParameterKind.Bool, reader.ReadVarintField() == 0 ? 0 : 1, default);
                    break;
                case InferParameterKind.Int64:
                    parameter = new(key, InferParameterKind.Int64, (long)reader.ReadVarintField(), default);
                    break;
                case InferParameterKind.UInt64:
                    parameter = new(key, InferParameterKind.UInt64, (long)reader.ReadVarintField(), default);
                    break;
                case InferParameterKind.Text:
                    parameter = new(key, InferParameterKind.Text, 0, reader.ReadString());
                    break;
                case InferParameterKind.Double when reader.WireType == WireType.Fixed64:
                    parameter = new(key, InferParameterKind.Double, (long)reader.ReadFixed64(), default);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return parameter;
    }

    /// <summary>An entry's name, and where its value is.</summary>
    public static Slice ParseKey(ReadOnlySpan<byte> message, Slice range, out Slice value)
    {
        Slice key = default;
        value = default;
        var entry = new ProtoReader(message, range, "InferParameter");
        while (entry.Next())
        {
            switch (entry.Field)
            {
                case 1:
                    key = entry.ReadString();
                    break;
                case 2:
                    value = entry.ReadSlice();
                    break;
                default:
                    entry.Skip();
                    break;
            }
        }

        return key;
    }
}

/// <summary>One entry of a <c>parameters</c> map.</summary>
/// <param name="Key">The name, UTF-8.</param>
/// <param name="Kind">Which member of the oneof is set.</param>
/// <param name="Bits">The value of a bool (0 or 1), an integer, or a double's bits.</param>
/// <param name="Text">The value of a string, UTF-8.</param>
public readonly record struct InferParameterValue(Slice Key, InferParameterKind Kind, long Bits, Slice Text);

/// <summary>The members of <c>InferParameter</c>'s oneof, with their field numbers.</summary>
public enum InferParameterKind : byte
{
    None = 0,
    Bool = 1,
    Int64 = 2,
    Text = 3,
    Double = 4,
    UInt64 = 5,
}
