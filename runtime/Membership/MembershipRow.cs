using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cluster.Runtime;

/// <summary>A row as it is stored: JSON, whose <c>status</c> the scripts of the directory read too.</summary>
internal sealed class MembershipRow
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
    };

    public required SiloStatus Status { get; init; }

    public required string Name { get; init; }

    public required string Role { get; init; }

    public required string[] Labels { get; init; }

    /// <summary>Milliseconds since 1970.</summary>
    public required long Since { get; init; }

    /// <summary>Who suspects the silo, and since when in milliseconds since 1970.</summary>
    public required Vote[] Suspicions { get; init; }

    public static string Write(MembershipEntry entry) => JsonSerializer.Serialize(
        new MembershipRow
        {
            Status = entry.Status,
            Name = entry.Name,
            Role = entry.Role,
            Labels = [.. entry.Labels],
            Since = entry.Since.ToUnixTimeMilliseconds(),
            Suspicions = [.. entry.Suspicions.Select(static vote => new Vote(vote.By.ToParsableString(), vote.At.ToUnixTimeMilliseconds()))],
        },
        Json);

    /// <exception cref="FormatException">It is not a row.</exception>
    public static MembershipEntry Read(SiloAddress silo, string json)
    {
        try
        {
            var row = JsonSerializer.Deserialize<MembershipRow>(json, Json) ?? throw new FormatException($"the membership row of {silo} is null");
            return new MembershipEntry(
                silo,
                row.Status,
                row.Name,
                row.Role,
                [.. row.Labels],
                DateTimeOffset.FromUnixTimeMilliseconds(row.Since),
                [.. row.Suspicions.Select(static vote => new Suspicion(SiloAddress.FromParsableString(vote.By), DateTimeOffset.FromUnixTimeMilliseconds(vote.At)))]);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"the membership row of {silo} is not readable: {json}", exception);
        }
    }

    internal sealed record Vote(string By, long At);
}
