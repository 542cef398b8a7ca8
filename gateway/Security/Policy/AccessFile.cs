using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cluster.Gateway.Security.Policy;

/// <summary>Reads <c>access.json</c>. Unknown keys, keys given twice and what contradicts itself are mistakes: a rule that is misread is worse than none.</summary>
internal static class AccessFile
{
    /// <summary>Far above what clients and rules take; a larger file is a wrong one.</summary>
    private const int MaxBytes = 16 << 20;

    private const int MinSalt = 16;

    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = 16,
        Converters = { new JsonStringEnumConverter<Permission>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <exception cref="AccessFileException">What is wrong, and where in the file.</exception>
    public static AccessPolicy Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Read(stream);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException("it cannot be read", exception);
        }
    }

    /// <inheritdoc cref="Read(string)"/>
    public static AccessPolicy Read(Stream stream)
    {
        try
        {
            return stream.Length <= MaxBytes ? Parse(JsonSerializer.Deserialize<Root>(stream, Strict)) : throw new AccessFileException($"it has more than {MaxBytes} bytes");
        }
        catch (JsonException exception)
        {
            throw new AccessFileException($"{exception.Path ?? "$"} in line {exception.LineNumber + 1} is not what is expected there, see docs/security.md", exception);
        }
    }

    private static AccessPolicy Parse(Root? root)
    {
        var file = root ?? throw new AccessFileException("it is null, expected an object");
        ExpectNoNull(file.Clients.Values, "clients");
        ExpectNoNull(file.Rules, "rules");
        foreach (var client in file.Clients.Values)
        {
            ExpectNoNull(client.Keys, "keys");
            ExpectNoNull(client.Certificates, "certificates");
            ExpectNoNull(client.Tokens, "tokens");
        }

        foreach (var rule in file.Rules)
        {
            ExpectNoNull(rule.Clients, "clients of a rule");
            ExpectNoNull(rule.Models, "models of a rule");
        }

        var rules = file.Rules.Select((rule, index) => Rule(file, rule, $"rules[{index}]")).ToList();
        var clients = file.Clients.Select(entry => new ClientRights(
            Name(entry.Key, "clients"),
            [.. rules.Where(rule => rule.Clients.Contains(entry.Key) || rule.Clients.Contains("*")).Select(static rule => rule.Rule)])
        {
            Keys = [.. entry.Value.Keys.Select((key, index) => Key(key, $"clients.{entry.Key}.keys[{index}]"))],
            Certificates = [.. entry.Value.Certificates.Select(name => Name(name, $"clients.{entry.Key}.certificates"))],
            Tokens = [.. entry.Value.Tokens.Select(name => Name(name, $"clients.{entry.Key}.tokens"))],
            Quota = Quota(entry.Value, $"clients.{entry.Key}"),
        }).ToList();
        Once(clients.SelectMany(static client => client.Keys.Select(static key => key.Id)), "the key id");
        Once(clients.SelectMany(static client => client.Certificates), "the certificate name");
        Once(clients.SelectMany(static client => client.Tokens), "the token subject");
        return new AccessPolicy(clients);
    }

    private static (IReadOnlyList<string> Clients, AccessRule Rule) Rule(Root file, RuleEntry rule, string place)
    {
        foreach (var client in rule.Clients)
        {
            Expect(client == "*" || file.Clients.ContainsKey(client), $"{place}.clients names '{client}', which clients does not have");
        }

        Expect(rule.Clients.Count > 0, $"{place}.clients is empty, expected names of clients, or *");
        Expect(rule.Allow.Count > 0, $"{place}.allow is empty, expected infer, read, manage or observe");
        Expect(rule.Models.Count > 0, $"{place}.models is empty, expected patterns of names, such as team-a-* or *");
        Expect(rule.Models.All(static pattern => pattern.Length > 0), $"{place}.models has an empty pattern");
        var models = rule.Models.Select(static pattern => new NamePattern(pattern)).ToImmutableArray();
        Expect(
            !rule.Allow.Contains(Permission.Observe) || models.Any(static pattern => pattern.IsAll),
            $"{place} allows observe for some models, expected the models * with it: metrics are of all models");
        return (rule.Clients, new AccessRule([.. rule.Allow], models));
    }

    private static ApiKey Key(KeyEntry key, string place)
    {
        Expect(key.Id.Length is > 0 and <= 64 && !key.Id.Contains('.'), $"{place}.id is not 1 to 64 letters without a dot: what stands before the dot of a key");
        return new ApiKey(
            key.Id,
            Bytes(key.Salt, $"{place}.salt", static length => length is >= MinSalt and <= 64, "16 to 64 bytes"),
            Bytes(key.Sha256, $"{place}.sha256", static length => length == 32, "32 bytes"),
            key.Expires ?? DateTimeOffset.MaxValue);
    }

    private static byte[] Bytes(string text, string place, Func<int, bool> isLength, string expected)
    {
        try
        {
            var bytes = Convert.FromHexString(text);
            Expect(isLength(bytes.Length), $"{place} has {bytes.Length} bytes, expected {expected}");
            return bytes;
        }
        catch (FormatException exception)
        {
            throw new AccessFileException($"{place} is not hexadecimal, expected {expected}", exception);
        }
    }

    private static ClientQuota Quota(ClientEntry client, string place)
    {
        Expect(client.RequestsPerSecond is null or (>= 0.01 and <= 1e6), $"{place}.requests_per_second is {client.RequestsPerSecond}, expected 0.01 to 1000000");
        Expect(client.Burst is null or (>= 1 and <= 1_000_000), $"{place}.burst is {client.Burst}, expected 1 to 1000000");
        Expect(client.Burst is null || client.RequestsPerSecond is not null, $"{place}.burst is nothing without requests_per_second");
        Expect(client.InFlight is null or (>= 1 and <= 1_000_000), $"{place}.in_flight is {client.InFlight}, expected 1 to 1000000");
        Expect(client.InFlightMib is null or (>= 1 and <= 1_000_000), $"{place}.in_flight_mib is {client.InFlightMib}, expected 1 to 1000000");
        Expect(client.RegisteredModels is null or (>= 0 and <= 1_000_000), $"{place}.registered_models is {client.RegisteredModels}, expected 0 to 1000000");
        var rate = client.RequestsPerSecond ?? 0;
        return new ClientQuota(rate, client.Burst ?? Math.Max(1, (int)Math.Ceiling(rate)), client.InFlight ?? 0, client.InFlightMib ?? 0) { RegisteredModels = client.RegisteredModels };
    }

    private static string Name(string text, string place)
    {
        Expect(text.Length is > 0 and <= 255 && text != "*" && !text.Any(char.IsControl), $"{place} has the name '{text}', expected 1 to 255 letters");
        return text;
    }

    private static void Once(IEnumerable<string> names, string what)
    {
        foreach (var twice in names.GroupBy(static name => name, StringComparer.Ordinal).Where(static group => group.Count() > 1))
        {
            throw new AccessFileException($"{what} '{twice.Key}' is given twice, expected once");
        }
    }

    /// <summary>The reader looks at properties, not at what is in a list.</summary>
    private static void ExpectNoNull(IEnumerable<object?> items, string place) => Expect(!items.Contains(null), $"{place} has a null");

    private static void Expect(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new AccessFileException(otherwise);
        }
    }

    private sealed record Root(IReadOnlyDictionary<string, ClientEntry> Clients, IReadOnlyList<RuleEntry> Rules);

    private sealed record ClientEntry
    {
        public IReadOnlyList<KeyEntry> Keys { get; init; } = [];

        public IReadOnlyList<string> Certificates { get; init; } = [];

        public IReadOnlyList<string> Tokens { get; init; } = [];

        public double? RequestsPerSecond { get; init; }

        public int? Burst { get; init; }

        public int? InFlight { get; init; }

        public int? InFlightMib { get; init; }

        public int? RegisteredModels { get; init; }
    }

    private sealed record KeyEntry(string Id, string Salt, string Sha256, DateTimeOffset? Expires = null);

    private sealed record RuleEntry(IReadOnlyList<string> Clients, IReadOnlyList<Permission> Allow, IReadOnlyList<string> Models);
}

/// <summary>What is wrong with an <c>access.json</c>, in a sentence without its path.</summary>
internal sealed class AccessFileException : Exception
{
    public AccessFileException(string message)
        : base(message)
    {
    }

    public AccessFileException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
