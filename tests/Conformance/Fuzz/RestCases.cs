using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Fuzz;

/// <summary>REST requests: bodies, binary tails, headers, verbs and paths.</summary>
internal static class RestCases
{
    private static readonly string[] Lengths = ["", "0", "1", "-1", "abc", "1e3", "+5", " 7", "1,2", "2147483648", "9223372036854775807", "9223372036854775808"];

    private static readonly string[] Pieces =
    [
        "v2", "models", "identity_fp32", "vector_fp32", "versions", "1", "0", "-1", "99999999999999999999", "ready", "config", "stats", "infer", "health", "live", "",
        "%00", "%2e%2e", "..", ".", "%2f", "%ff%fe", "%F0%9F%98%80", "a b", "%", "%zz", "metrics", "v1", "trace", "generate", "repository", "index", "*", ";x=1", ":predict",
    ];

    private static readonly string[] Verbs = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"];

    public static FuzzCase Create(Random random, int number) => random.Next(20) switch
    {
        < 9 => Json(random, number),
        < 14 => Binary(random, number),
        < 16 => Tail(random, number),
        < 17 => Compressed(random, number),
        < 18 => Header(random, number),
        _ => Path(random, number),
    };

    public static FuzzCase Valid(Random random, int number)
    {
        var seed = new SeedRequest(random);
        var valid = random.OneIn(2) ? Whole(seed, number) : Split(seed.Path, number, "REST valid", Bytes(seed.ToBinary(), out var length), length);
        return valid with { IsValid = true, Expected = seed.Model.GivesInputBack ? seed.Inputs[0] : null };
    }

    private static FuzzCase Whole(SeedRequest seed, int number) =>
        new(number, Channel.Rest, "REST valid", "POST", seed.Path, JsonSerializer.SerializeToUtf8Bytes(seed.ToJson()));

    private static FuzzCase Split(string path, int number, string kind, byte[] body, int jsonLength) => new(number, Channel.Rest, kind, "POST", path, body)
    {
        Headers = [new(RestInferClient.JsonLength, jsonLength.ToString(CultureInfo.InvariantCulture))],
    };

    private static byte[] Bytes((JsonObject Json, byte[] Tail) request, out int jsonLength)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request.Json);
        jsonLength = json.Length;
        return [.. json, .. request.Tail];
    }

    private static FuzzCase Json(Random random, int number)
    {
        var seed = new SeedRequest(random);
        if (random.OneIn(12))
        {
            return new FuzzCase(number, Channel.Rest, "REST empty tensors", "POST", seed.Path, Empty(random, seed));
        }

        var body = random.OneIn(3)
            ? ByteMutator.Mutate(random, JsonSerializer.SerializeToUtf8Bytes(seed.ToJson()), "{\"inputs\":[[[1e9,\"\\u00e4\"]]]}"u8.ToArray())
            : JsonMutator.Mutate(random, seed.ToJson());
        return new FuzzCase(number, Channel.Rest, "REST JSON", "POST", seed.Path, body);
    }

    private static byte[] Empty(Random random, SeedRequest seed)
    {
        var json = seed.ToJson();
        foreach (var (input, described) in seed.Inputs.Zip(json["inputs"]!.AsArray()))
        {
            described!["shape"] = new JsonArray([.. random.EmptyShape(input.Shape.Length).Select(dimension => JsonValue.Create(dimension))]);
            described["data"] = new JsonArray();
        }

        if (random.OneIn(2))
        {
            var parameters = new JsonObject { ["classification"] = random.Next(1, 12) };
            json["outputs"] = new JsonArray(new JsonObject { ["name"] = random.Pick(seed.Model.Outputs), ["parameters"] = parameters });
        }

        return JsonSerializer.SerializeToUtf8Bytes(json);
    }

    /// <summary>Damaged JSON in front of an intact tail.</summary>
    private static FuzzCase Binary(Random random, int number)
    {
        var seed = new SeedRequest(random);
        var (json, tail) = seed.ToBinary();
        var text = JsonMutator.Mutate(random, json);
        return Split(seed.Path, number, "REST binary", [.. text, .. tail], text.Length);
    }

    /// <summary>Intact JSON, and a tail or a length that does not fit it.</summary>
    private static FuzzCase Tail(Random random, int number)
    {
        var seed = new SeedRequest(random);
        var body = Bytes(seed.ToBinary(), out var length);
        var mutated = random.Next(4) switch
        {
            0 => body[..random.Next(length, body.Length + 1)],
            1 => [.. body, .. random.Bytes(random.Length())],
            2 => [.. body[..length], .. ByteMutator.Mutate(random, body[length..], body)],
            _ => body,
        };
        var said = random.Next(3) switch
        {
            0 => random.Pick(Lengths),
            1 => Math.Max(0, length + random.Next(-9, 10)).ToString(CultureInfo.InvariantCulture),
            _ => length.ToString(CultureInfo.InvariantCulture),
        };
        return new FuzzCase(number, Channel.Rest, "REST tail", "POST", seed.Path, mutated) { Headers = [new(RestInferClient.JsonLength, said)] };
    }

    private static FuzzCase Compressed(Random random, int number)
    {
        var seed = new SeedRequest(random);
        var gzip = random.OneIn(2);
        var packed = FramingCases.Compress(Bytes(seed.ToBinary(), out var length), gzip);
        var body = random.OneIn(3) ? packed : random.OneIn(2) ? packed[..random.Next(packed.Length)] : ByteMutator.Mutate(random, packed, packed);
        return new FuzzCase(number, Channel.Rest, "REST compression", "POST", seed.Path, body)
        {
            Headers =
            [
                new(RestInferClient.JsonLength, length.ToString(CultureInfo.InvariantCulture)),
                new("Content-Encoding", random.OneIn(6) ? random.Pick(["br", "gzip, gzip", "", "GZIP", "x"]) : gzip ? "gzip" : "deflate"),
            ],
        };
    }

    private static FuzzCase Header(Random random, int number) => Whole(new SeedRequest(random), number) with
    {
        Kind = "REST headers",
        Headers =
        [
            random.Next(5) switch
            {
                0 => new("X-Request-Timeout", random.Pick(["1", "0", "-1", "abc", "", "99999999999", "10000", "1.5"])),
                1 => new("Accept-Encoding", random.Pick(["gzip", "deflate", "gzip, deflate", "*;q=0", "br", ";;;", "gzip;q=0"])),
                2 => new("Content-Type", random.Pick(["application/json", "text/plain", "", "application/octet-stream", "multipart/form-data"])),
                3 => new("x-" + random.Next(1000), new string('v', random.Next(4000))),
                _ => new(RestInferClient.JsonLength, random.Pick(Lengths)),
            },
        ],
    };

    private static FuzzCase Path(Random random, int number)
    {
        var path = new StringBuilder(random.OneIn(2) ? "/v2/models" : "");
        for (var left = random.Next(1, 6); left > 0; left--)
        {
            path.Append('/').Append(random.OneIn(60) ? new string('p', random.Next(5000)) : random.Pick(Pieces));
        }

        if (random.OneIn(4))
        {
            path.Append('?').Append(random.Pick(Pieces)).Append('=').Append(random.Pick(Pieces));
        }

        var verb = random.OneIn(2) ? "GET" : random.Pick(Verbs);
        return new FuzzCase(number, Channel.Rest, "REST paths", verb, path.ToString(), verb is "GET" or "HEAD" or "TRACE" ? [] : random.Bytes(random.Next(20)));
    }
}
