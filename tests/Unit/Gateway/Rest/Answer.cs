using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>An HTTP answer, read to its end.</summary>
internal sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The text of an error; fails where the body is no error.</summary>
    public string Error => Json.GetProperty("error").GetString()!;

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The JSON, and the bytes behind it.</summary>
    public (string Json, byte[] Tail) Split()
    {
        var length = Header("Inference-Header-Content-Length") is { } header ? int.Parse(header, CultureInfo.InvariantCulture) : Body.Length;
        return (Encoding.UTF8.GetString(Body.AsSpan(0, length)), Body[length..]);
    }
}
