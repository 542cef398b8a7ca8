using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Cluster.Conformance.Fuzz;

/// <summary>Damages JSON where it hurts: kinds, counts and keys of its values, and the text of tokens.</summary>
internal static class JsonMutator
{
    private const string Mark = "@mark@";
    private const int NestedDeep = 50_000;

    /// <summary>What is longer is cut off: the storm is one of many requests, not of large ones.</summary>
    private const int LongestText = 1 << 20;

    private static readonly string[] Tokens =
    [
        "null", "true", "false", "0", "-0", "-1", "1.5", "1e5", "1e400", "-1e400", "1E-400", "9223372036854775807", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "4611686018427387904", "340282350000000000000000000000000000001", "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x10",
        "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\x\"", "\"\\u12\"", "\"a\tb\"", "\"unclosed", "'single'", "[]", "{}", "[[]]", "[null]",
        "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{1:2}", "/* c */ 1", "\"FP32\"", "\"BYTES\"", "\"1\"", "\"😀\"", "\ufeff", "",
    ];

    private static readonly string[] Keys =
        ["name", "shape", "datatype", "data", "parameters", "binary_data_size", "binary_data", "classification", "inputs", "outputs", "id", "", "binary_data_output"];

    /// <summary>The text after one to four damages.</summary>
    public static byte[] Mutate(Random random, JsonObject json)
    {
        var root = new JsonObject { ["root"] = json };
        var tokens = new List<string>();
        for (var left = random.Next(1, 5); left > 0; left--)
        {
            MutateTree(random, Pick(random, root), tokens);
        }

        var text = root["root"]?.ToJsonString() ?? "";
        for (var i = 0; i < tokens.Count; i++)
        {
            text = text.Replace($"\"{Mark}{i.ToString(CultureInfo.InvariantCulture)}\"", tokens[i], StringComparison.Ordinal);
        }

        var bytes = Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, LongestText)]);
        return random.OneIn(5) ? ByteMutator.Mutate(random, bytes, bytes) : bytes;
    }

    /// <summary>A random container, those near the root more often than by their number.</summary>
    private static JsonNode Pick(Random random, JsonNode node)
    {
        while (true)
        {
            var below = node switch
            {
                JsonObject members => members.Select(member => member.Value).ToList(),
                JsonArray items => [.. items],
                _ => [],
            };
            var containers = below.Where(child => child is JsonObject or JsonArray).ToList();
            if (containers.Count == 0 || random.OneIn(3))
            {
                return node;
            }

            node = random.Pick(containers)!;
        }
    }

    private static void MutateTree(Random random, JsonNode node, List<string> tokens)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } members:
                MutateObject(random, members, tokens);
                break;
            case JsonArray items:
                MutateArray(random, items, tokens);
                break;
        }
    }

    private static void MutateObject(Random random, JsonObject members, List<string> tokens)
    {
        var key = random.Pick(members.Select(member => member.Key).ToList());
        switch (random.Next(5))
        {
            case 0 when key != "root":
                members.Remove(key);
                break;
            case 1 when key != "root":
                var value = members[key];
                members.Remove(key);
                members[random.Pick(Keys)] = value;
                break;
            case 2:
                members[random.Pick(Keys)] = Token(random, tokens);
                break;
            default:
                members[key] = Token(random, tokens);
                break;
        }
    }

    private static void MutateArray(Random random, JsonArray items, List<string> tokens)
    {
        var at = items.Count == 0 ? 0 : random.Next(items.Count);
        switch (random.Next(5))
        {
            case 0 when items.Count > 0:
                items.RemoveAt(at);
                break;
            case 1 when items.Count > 0:
                var count = random.OneIn(20) ? 3000 : random.Next(1, 4);
                for (; count > 0; count--)
                {
                    items.Add(items[at]?.DeepClone());
                }

                break;
            case 2:
                items.Insert(at, Token(random, tokens));
                break;
            default:
                if (items.Count > 0)
                {
                    items[at] = Token(random, tokens);
                }

                break;
        }
    }

    /// <summary>A place holder for text that a tree of JSON cannot hold.</summary>
    private static JsonValue Token(Random random, List<string> tokens)
    {
        tokens.Add(random.Next(24) switch
        {
            0 => Nested(random),
            1 => new string('9', random.Next(1, 3000)),
            2 => "0." + new string('3', random.Next(1, 3000)),
            3 => "\"" + new string('t', random.Length()) + "\"",
            < 10 => random.Extreme().ToString(CultureInfo.InvariantCulture),
            _ => random.Pick(Tokens),
        });
        return JsonValue.Create(Mark + (tokens.Count - 1).ToString(CultureInfo.InvariantCulture));
    }

    private static string Nested(Random random)
    {
        var depth = random.OneIn(4) ? random.Next(NestedDeep) : random.Next(1, 130);
        var (open, close) = random.OneIn(3) ? ("{\"a\":", "}") : ("[", "]");
        var text = string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth));
        return random.OneIn(3) ? text[..random.Next(1, text.Length)] : text;
    }
}
