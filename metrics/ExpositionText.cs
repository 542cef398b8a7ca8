using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cluster.Metrics;

/// <summary>Numbers, labels and names as Prometheus' text format 0.0.4 wants them.</summary>
internal static class ExpositionText
{
    private const double LargestExactInteger = 1L << 53;

    private const int LongestNumber = 32;

    public static void WriteNumber(IBufferWriter<byte> output, double value)
    {
        var span = output.GetSpan(LongestNumber);
        int written;
        if (Math.Abs(value) <= LargestExactInteger && value == Math.Truncate(value))
        {
            _ = ((long)value).TryFormat(span, out written, default, CultureInfo.InvariantCulture);
        }
        else if (double.IsFinite(value))
        {
            _ = value.TryFormat(span, out written, "R", CultureInfo.InvariantCulture);
        }
        else
        {
            written = Encoding.UTF8.GetBytes(double.IsNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf", span);
        }

        output.Advance(written);
    }

    public static string Number(double value)
    {
        var buffer = new ArrayBufferWriter<byte>(LongestNumber);
        WriteNumber(buffer, value);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>
    /// Labels sorted by name, <c>a="1",b="2"</c>. An empty value means that the label is absent, as it does to Prometheus.
    /// Names that become equal once made valid share one label, values joined by a semicolon.
    /// </summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, tagValue) in tags)
        {
            var value = Text(tagValue);
            if (value.Length == 0)
            {
                continue;
            }

            var name = LabelName(key);
            labels[name] = labels.TryGetValue(name, out var other) ? other + ";" + value : value;
        }

        return string.Join(',', labels.Select(label => $"{label.Key}=\"{EscapeLabel(label.Value)}\""));
    }

    public static string EscapeLabel(string value) =>
        EscapeHelp(value).Replace("\"", "\\\"", StringComparison.Ordinal);

    public static string EscapeHelp(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>Letters, digits, underscores and colons; never a digit first.</summary>
    public static string MetricName(string name) => Sanitize(name, colons: true);

    private static string LabelName(string name)
    {
        var valid = Sanitize(name, colons: false);

        // A histogram's bound is called le, and names with two underscores in front are Prometheus' own.
        return valid == "le" || valid.StartsWith("__", StringComparison.Ordinal) ? "exported_" + valid.TrimStart('_') : valid;
    }

    private static string Sanitize(string name, bool colons)
    {
        var text = new StringBuilder(name.Length + 1);
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            _ = text.Append('_');
        }

        foreach (var c in name)
        {
            _ = text.Append(char.IsAsciiLetterOrDigit(c) || c == '_' || (colons && c == ':') ? c : '_');
        }

        return text.ToString();
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}

/// <summary>The forms that metrics are written in.</summary>
public enum ExpositionFormat
{
    /// <summary>Prometheus' text format 0.0.4.</summary>
    Text,

    /// <summary>OpenMetrics 1.0, which has exemplars. A counter whose name does not end with <c>_total</c> is of unknown type there, as no other may have one.</summary>
    OpenMetrics,
}

/// <summary>Their media types.</summary>
public static class ExpositionMediaType
{
    /// <summary>Of OpenMetrics, without parameters.</summary>
    public const string OpenMetrics = "application/openmetrics-text";

    /// <summary>Of the text format, without parameters.</summary>
    public const string Text = "text/plain";

    /// <summary>With version and charset.</summary>
    public static string Of(ExpositionFormat format) =>
        format == ExpositionFormat.OpenMetrics ? OpenMetrics + "; version=1.0.0; charset=utf-8" : Text + "; version=0.0.4; charset=utf-8";
}
