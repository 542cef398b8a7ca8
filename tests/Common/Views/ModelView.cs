using System.Text.Json;

namespace Cluster.Tests.Common;

/// <summary>A model as <c>GET /v2/cluster</c> shows it; the copies of all its versions together.</summary>
public sealed record ModelView(string Name, IReadOnlyList<CopyView> Copies, IReadOnlyList<string> States, IReadOnlyList<string> FailedOn)
{
    public static ModelView Parse(JsonElement model)
    {
        var versions = model.GetProperty("versions").EnumerateArray().ToList();
        return new ModelView(
            model.GetProperty("name").GetString()!,
            [.. versions.SelectMany(static version => version.GetProperty("copies").EnumerateArray()).Select(ParseCopy)],
            [.. versions.Select(static version => version.GetProperty("state").GetString()!)],
            [.. versions.SelectMany(static version => version.GetProperty("failed_on").EnumerateArray()).Select(static silo => silo.GetString()!)]);
    }

    private static CopyView ParseCopy(JsonElement copy) => new(
        copy.TryGetProperty("copy", out var number) ? number.GetInt32() : null, copy.GetProperty("state").GetString()!, copy.TryGetProperty("silo", out var silo) ? silo.GetString()! : "");
}
