using System.Globalization;

namespace Cluster.Bench.Framework;

/// <summary>The options given to a benchmark, checked against those it takes.</summary>
internal sealed class BenchArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>Reads <c>--name VALUE</c> and <c>--name=VALUE</c>.</summary>
    public static BenchArguments Parse(ReadOnlySpan<string> arguments, IReadOnlyList<OptionSpec> options)
    {
        var parsed = new BenchArguments();
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                throw new UsageException($"unexpected argument '{argument}'");
            }

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument[2..] : argument[2..equals];
            if (!options.Any(option => option.Name == name))
            {
                throw new UsageException($"unknown option '--{name}'");
            }

            if (equals < 0 && ++i == arguments.Length)
            {
                throw new UsageException($"option '--{name}' needs a value");
            }

            if (!parsed._values.TryAdd(name, equals < 0 ? arguments[i] : argument[(equals + 1)..]))
            {
                throw new UsageException($"option '--{name}' is given twice");
            }
        }

        return parsed;
    }

    /// <summary>The option's value, null where it is not given.</summary>
    public string? Text(string name) => _values.GetValueOrDefault(name);

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public int Integer(string name, int fallback, int least, int most)
    {
        if (Text(name) is not { } text)
        {
            return fallback;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new UsageException($"option '--{name}' takes a whole number from {least} to {most}, not '{text}'");
    }

    /// <summary>A time in seconds, fractions allowed.</summary>
    public TimeSpan Seconds(string name, double fallback, double least, double most)
    {
        if (Text(name) is not { } text)
        {
            return TimeSpan.FromSeconds(fallback);
        }

        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? TimeSpan.FromSeconds(value)
            : throw new UsageException(
                string.Create(CultureInfo.InvariantCulture, $"option '--{name}' takes seconds from {least} to {most}, not '{text}'"));
    }
}

/// <summary>The command line asks for something that does not exist; the process exits 64.</summary>
internal sealed class UsageException(string message) : Exception(message);
