using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Bench.Framework;
using HdrHistogram;

namespace Cluster.Bench.Load;

/// <summary>The load generator of nghttp2, a process of its own: closed loop, the next request leaves when one is answered.</summary>
internal static partial class H2Load
{
    /// <summary>Longer than any time-out of a server here.</summary>
    private static readonly long LongestMicroseconds = (long)TimeSpan.FromMinutes(10).TotalMicroseconds;

    private const int SignificantDigits = 3;

    /// <summary>Sends so many requests.</summary>
    /// <param name="answerBytes">The length of each answer's body.</param>
    /// <returns>From the first request to the last answer, and each request's latency in microseconds.</returns>
    /// <exception cref="InvalidDataException">A request failed, or an answer has another status or length.</exception>
    public static async Task<(TimeSpan Elapsed, LongHistogram Latencies)> RunAsync(
        InferCall call, int requests, LoadShape shape, long answerBytes, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-bench-load-");
        try
        {
            var body = Path.Combine(folder.FullName, "body");
            var log = Path.Combine(folder.FullName, "log");
            await File.WriteAllBytesAsync(body, call.Body, cancellationToken);
            string[] arguments =
            [
                .. call.IsHttp2 ? Array.Empty<string>() : ["--h1"],
                "-n", Text(requests), "-c", Text(shape.Connections), "-m", Text(shape.Streams), "-d", body, "--log-file", log,
                .. call.Headers.SelectMany(static header => new[] { "-H", header }), call.Url.AbsoluteUri,
            ];
            Check(await RunToEndAsync(shape.Processors is { } processors ? ["taskset", "-c", processors, "h2load", .. arguments] : ["h2load", .. arguments], cancellationToken), requests, answerBytes);
            return ReadLog(log);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> RunToEndAsync(string[] command, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? output : throw new BenchmarkException($"h2load ended with {process.ExitCode}: {await errors}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static void Check(string output, int requests, long answerBytes)
    {
        var (right, ok, bytes) = (Number(Succeeded(), output), Number(Ok(), output), Number(Data(), output));
        if (right != requests || ok != requests)
        {
            throw new InvalidDataException($"of {requests} requests {right} succeeded, {ok} with 2xx");
        }

        if (bytes != requests * answerBytes)
        {
            throw new InvalidDataException($"{requests} answers are {bytes} bytes together, not {answerBytes} each");
        }
    }

    /// <summary>A line a request: start in microseconds, status, microseconds until the answer's end.</summary>
    private static (TimeSpan Elapsed, LongHistogram Latencies) ReadLog(string path)
    {
        var latencies = new LongHistogram(LongestMicroseconds, SignificantDigits);
        var (first, last) = (long.MaxValue, 0L);
        foreach (var line in File.ReadLines(path))
        {
            var start = long.Parse(line.AsSpan(0, line.IndexOf('\t')), CultureInfo.InvariantCulture);
            var took = long.Parse(line.AsSpan(line.LastIndexOf('\t') + 1), CultureInfo.InvariantCulture);
            latencies.RecordValue(Math.Min(took, LongestMicroseconds));
            (first, last) = (Math.Min(first, start), Math.Max(last, start + took));
        }

        return (TimeSpan.FromMicroseconds(last - first), latencies);
    }

    private static long Number(Regex pattern, string output) => pattern.Match(output) is { Success: true } match
        ? long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
        : throw new InvalidDataException($"h2load printed nothing like '{pattern}'");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"requests: .* (\d+) succeeded, ")]
    private static partial Regex Succeeded();

    [GeneratedRegex(@"status codes: (\d+) 2xx")]
    private static partial Regex Ok();

    [GeneratedRegex(@"\((\d+)\) data")]
    private static partial Regex Data();
}
