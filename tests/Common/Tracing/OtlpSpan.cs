using System.Globalization;
using Google.Protobuf;

namespace Cluster.Tests.Common;

/// <summary>A span as OTLP carries it, as far as tests look at it.</summary>
/// <param name="Parent">Empty: it begins its trace.</param>
/// <param name="Service">Whose it is: <c>service.name</c>.</param>
/// <param name="Start">Nanoseconds since the Unix epoch.</param>
/// <param name="End">As <paramref name="Start"/>.</param>
public sealed record OtlpSpan(string Trace, string Id, string Parent, string Name, string Service, int Kind, ulong Start, ulong End, IReadOnlyDictionary<string, string> Tags)
{
    /// <summary>The spans of an <c>ExportTraceServiceRequest</c>.</summary>
    public static IEnumerable<OtlpSpan> Read(ByteString request) =>
        from resource in Fields(request).Where(static field => field.Number == 1)
        let parts = Fields(resource.Bytes)
        let service = parts.Where(static part => part.Number == 1).SelectMany(static part => Fields(part.Bytes)).Where(static field => field.Number == 1)
            .Select(static field => KeyValue(field.Bytes)).FirstOrDefault(static pair => pair.Key == "service.name").Value ?? ""
        from scope in parts.Where(static part => part.Number == 2)
        from span in Fields(scope.Bytes).Where(static field => field.Number == 2)
        select ReadSpan(Fields(span.Bytes), service);

    public override string ToString() =>
        $"{Service} {Name} {Id} within '{Parent}', {(End - Start) / 1000} µs: {string.Join(' ', Tags.Select(static tag => $"{tag.Key}={tag.Value}"))}";

    private static OtlpSpan ReadSpan(List<Field> fields, string service) => new(
        Hex(fields, 1),
        Hex(fields, 2),
        Hex(fields, 4),
        fields.Find(static field => field.Number == 5).Bytes.ToStringUtf8(),
        service,
        (int)fields.Find(static field => field.Number == 6).Value,
        fields.Find(static field => field.Number == 7).Value,
        fields.Find(static field => field.Number == 8).Value,
        fields.Where(static field => field.Number == 9).Select(static field => KeyValue(field.Bytes)).ToDictionary());

    private static string Hex(List<Field> fields, int number) =>
        fields.Find(field => field.Number == number).Bytes is { } bytes ? Convert.ToHexStringLower(bytes.Span) : "";

    /// <summary>Of <c>AnyValue</c>: a string, a bool, a whole number.</summary>
    private static KeyValuePair<string, string> KeyValue(ByteString pair)
    {
        var fields = Fields(pair);
        var value = Fields(fields.Find(static field => field.Number == 2).Bytes).Single();
        return new(
            fields.Find(static field => field.Number == 1).Bytes.ToStringUtf8(),
            value.Number == 1 ? value.Bytes.ToStringUtf8() : value.Value.ToString(CultureInfo.InvariantCulture));
    }

    private static List<Field> Fields(ByteString message)
    {
        var fields = new List<Field>();
        var input = message.CreateCodedInput();
        while (input.ReadTag() is > 0 and var tag)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            fields.Add(WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => new Field(number, ByteString.Empty, input.ReadUInt64()),
                WireFormat.WireType.Fixed64 => new Field(number, ByteString.Empty, input.ReadFixed64()),
                WireFormat.WireType.Fixed32 => new Field(number, ByteString.Empty, input.ReadFixed32()),
                WireFormat.WireType.LengthDelimited => new Field(number, input.ReadBytes(), 0),
                var other => throw new InvalidDataException($"field {number} has the wire type {other}"),
            });
        }

        return fields;
    }

    private readonly record struct Field(int Number, ByteString Bytes, ulong Value);
}
