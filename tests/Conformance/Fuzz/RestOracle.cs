using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Conformance.Fuzz;

/// <summary>Says whether a REST answer is one that a server may give.</summary>
internal static class RestOracle
{
    private static readonly int[] Refusals = [400, 404, 405, 408, 411, 413, 414, 415, 431, 501, 504, 505];

    public static Verdict Judge(FuzzCase sent, RestAnswer answer)
    {
        var outcome = $"HTTP {answer.Status}";
        try
        {
            return new Verdict(outcome, answer.Status == 200 ? JudgeSuccess(sent, answer) : JudgeRefusal(sent, answer));
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException or KeyNotFoundException or InvalidOperationException)
        {
            return new Verdict(outcome, $"{Describe(answer)}: {exception.Message}");
        }
    }

    /// <summary>What the bytes say that came back on a connection to the HTTP port.</summary>
    public static Verdict JudgeRaw(string text)
    {
        var lines = text.Split("\r\n").Where(line => line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)).ToList();
        var failed = lines.Find(line => line[9] == '5' && line[9..12] is not ("501" or "504" or "505"));
        return new Verdict(lines.Count == 0 ? "closed" : "HTTP " + lines[0][9..12], failed is null ? null : text);
    }

    private static string? JudgeRefusal(FuzzCase sent, RestAnswer answer)
    {
        if (sent.IsValid || !Refusals.Contains(answer.Status))
        {
            return Describe(answer);
        }

        // What the HTTP server itself refuses has no body.
        if (answer.Body.Length == 0)
        {
            return null;
        }

        using var json = JsonDocument.Parse(answer.Body);
        return json.RootElement.TryGetProperty("error", out var error) && error.GetString() is { Length: > 0 } ? null : Describe(answer);
    }

    private static string? JudgeSuccess(FuzzCase sent, RestAnswer answer)
    {
        if (!sent.Path.EndsWith("/infer", StringComparison.Ordinal) || sent.Verb != "POST")
        {
            return null;
        }

        if (answer.JsonLength is not { } length)
        {
            return JudgeJson(sent, answer);
        }

        var position = length;
        foreach (var output in JsonNode.Parse(answer.Body.AsSpan(0, length))!["outputs"]!.AsArray())
        {
            position += (int?)output!["parameters"]?["binary_data_size"] ?? 0;
        }

        return position != answer.Body.Length
            ? $"{answer.Body.Length} bytes, but the outputs end at {position}: {Describe(answer)}"
            : sent.Expected is { } expected && !answer.Body.AsSpan(length).SequenceEqual(expected.ToRaw()) ? "another tensor than was sent came back" : null;
    }

    private static string? JudgeJson(FuzzCase sent, RestAnswer answer)
    {
        var outputs = JsonNode.Parse(answer.Body)!["outputs"]!.AsArray();
        if (sent.Expected is not { } expected)
        {
            return null;
        }

        var found = outputs[0]!["data"]!.AsArray();
        var wanted = expected.ToJson(nested: false);
        return found.Count == wanted.Count && found.Zip(wanted).All(pair => Same(pair.First!, pair.Second!)) ? null : Describe(answer);
    }

    private static bool Same(JsonNode found, JsonNode wanted) =>
        found.GetValueKind() == JsonValueKind.Number ? (double)found == (long)wanted : found.ToJsonString() == wanted.ToJsonString();

    private static string Describe(RestAnswer answer) =>
        $"HTTP {answer.Status}, {answer.ContentType}: {Encoding.UTF8.GetString(answer.Body.AsSpan(0, Math.Min(answer.Body.Length, 600)))}";
}

/// <param name="JsonLength">Where the binary part begins; null if there is none.</param>
internal sealed record RestAnswer(int Status, string ContentType, int? JsonLength, byte[] Body);
