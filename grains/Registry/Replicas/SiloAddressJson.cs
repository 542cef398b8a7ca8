using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>A silo's address as text, in its parsable form.</summary>
internal sealed class SiloAddressJson : JsonConverter<SiloAddress>
{
    public override SiloAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        try
        {
            return SiloAddress.FromParsableString(text);
        }
        catch (FormatException exception)
        {
            throw new JsonException(exception.Message, exception);
        }
    }

    public override void Write(Utf8JsonWriter writer, SiloAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToParsableString());
}
