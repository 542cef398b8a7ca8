using System.Globalization;

namespace Cluster.Conformance.Support;

/// <summary>Reads <c>/metrics</c>.</summary>
internal sealed class MetricsText
{
    private static readonly HttpClient Http = new();

    private readonly string[] _lines;

    private MetricsText(string text)
    {
        Text = text;
        _lines = text.Split('\n');
    }

    public string Text { get; }

    public static async Task<MetricsText> ReadAsync(string server) => new(await Http.GetStringAsync(new Uri(server + "/metrics")));

    /// <summary>The sum of a family's series that have all of <paramref name="labels"/>, such as <c>name="slow"</c>; 0 without any.</summary>
    public double Sum(string family, params string[] labels) => _lines
        .Where(line => line.StartsWith(family + "{", StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
        .Sum(static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    /// <summary>Waits until the sum is <paramref name="value"/>.</summary>
    /// <exception cref="TimeoutException">It did not become so within <paramref name="limit"/>.</exception>
    public static async Task UntilAsync(string server, double value, TimeSpan limit, string family, params string[] labels)
    {
        using var end = new CancellationTokenSource(limit);
        double last;
        do
        {
            last = (await ReadAsync(server)).Sum(family, labels);
            if (last == value)
            {
                return;
            }
        }
        while (await PauseAsync());

        throw new TimeoutException($"{family}{{{string.Join(',', labels)}}} is {last}, not {value}, after {limit.TotalSeconds} s");

        // The pace of looking; what is awaited is the metric.
        async Task<bool> PauseAsync()
        {
            await Task.Delay(20);
            return !end.IsCancellationRequested;
        }
    }
}
