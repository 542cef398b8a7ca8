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
}
