using System.Globalization;
using System.Text;
using Xunit;

namespace Cluster.Unit.Metrics;

/// <summary>A strict reader of Prometheus' text format: anything that a scraper could stumble over fails the test.</summary>
internal sealed class Exposition
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Helps { get; } = new(StringComparer.Ordinal);

    /// <summary>Names and labels in the order in which they were written, as <c>name{a=1,b=2}</c> with unescaped values.</summary>
    public List<string> Samples { get; } = [];

    public double this[string sample] =>
        _samples.TryGetValue(sample, out var value) ? value : throw new KeyNotFoundException($"No '{sample}' among:\n{string.Join('\n', Samples)}");

    public bool Has(string sample) => _samples.ContainsKey(sample);

    public bool HasFamily(string name) => Types.ContainsKey(name);

    public static Exposition Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var result = new Exposition();
        var family = "";
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ', 4);
                family = parts[2];
                result.Helps.Add(family, parts[3]);
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ');
                Assert.Equal(family, parts[2]);
                result.Types.Add(family, parts[3]);
            }
            else
            {
                result.AddSample(family, line);
            }
        }

        return result;
    }

    private void AddSample(string family, string line)
    {
        var position = 0;
        while (position < line.Length && (char.IsAsciiLetterOrDigit(line[position]) || line[position] is '_' or ':'))
        {
            position++;
        }

        var name = line[..position];
        var expected = Types[family] == "histogram" ? new[] { family + "_bucket", family + "_sum", family + "_count" } : [family];
        Assert.Contains(name, expected);
        var labels = line[position] == '{' ? ReadLabels(line, ref position) : [];
        Assert.Equal(' ', line[position]);
        var key = labels.Count == 0 ? name : $"{name}{{{string.Join(',', labels)}}}";
        Assert.True(_samples.TryAdd(key, ReadNumber(line[(position + 1)..])), $"'{key}' is written twice.");
        Samples.Add(key);
    }

    private static List<string> ReadLabels(string line, ref int position)
    {
        var labels = new List<string>();
        do
        {
            var start = ++position;
            while (line[position] != '=')
            {
                Assert.True(char.IsAsciiLetterOrDigit(line[position]) || line[position] == '_', line);
                position++;
            }

            var name = line[start..position];
            Assert.False(char.IsAsciiDigit(name[0]));
            position++;
            labels.Add($"{name}={ReadQuoted(line, ref position)}");
        }
        while (line[position] == ',');
        Assert.Equal('}', line[position]);
        position++;
        return labels;
    }

    private static string ReadQuoted(string line, ref int position)
    {
        Assert.Equal('"', line[position]);
        var value = new StringBuilder();
        while (line[++position] != '"')
        {
            if (line[position] != '\\')
            {
                _ = value.Append(line[position]);
                continue;
            }

            _ = value.Append(line[++position] switch
            {
                'n' => '\n',
                '"' => '"',
                '\\' => '\\',
                var other => throw new FormatException($"Unknown escape \\{other}."),
            });
        }

        position++;
        return value.ToString();
    }

    private static double ReadNumber(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        "NaN" => double.NaN,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}
