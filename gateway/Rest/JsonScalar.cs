using System.Text.Json;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

/// <summary>A parameter's value in the kind that its JSON has; for text its kind alone.</summary>
/// <param name="Kind"><see cref="InferParameterKind.None"/> for null, an object, an array, and a number out of a double's range.</param>
/// <param name="Bits">Of a bool, 0 or 1; an integer; a double's bits.</param>
internal readonly record struct JsonScalar(InferParameterKind Kind, long Bits)
{
    public static JsonScalar Read(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                return new(InferParameterKind.Bool, reader.GetBoolean() ? 1 : 0);
            case JsonTokenType.Number when reader.TryGetInt64(out var integer):
                return new(InferParameterKind.Int64, integer);
            case JsonTokenType.Number when reader.TryGetUInt64(out var unsigned):
                return new(InferParameterKind.UInt64, (long)unsigned);
            case JsonTokenType.Number when reader.TryGetDouble(out var number) && double.IsFinite(number):
                return new(InferParameterKind.Double, BitConverter.DoubleToInt64Bits(number));
            case JsonTokenType.String:
                return new(InferParameterKind.Text, 0);
            default:
                reader.Skip();
                return default;
        }
    }
}
