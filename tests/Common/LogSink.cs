using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Cluster.Tests.Common;

/// <summary>Keeps what is logged, for tests to look at.</summary>
public sealed class LogSink : ILoggerProvider
{
    private readonly FakeLogCollector _collector = new();

    /// <summary>Everything so far, oldest first.</summary>
    public IReadOnlyList<FakeLogRecord> Entries => _collector.GetSnapshot();

    /// <summary>Warnings and worse.</summary>
    public IEnumerable<string> Problems => Entries.Where(static entry => entry.Level >= LogLevel.Warning).Select(static entry => entry.Message);

    public ILogger CreateLogger(string categoryName) => new FakeLogger(_collector, categoryName);

    /// <summary>Waits for an entry: what a test sees from outside may come before the line about it.</summary>
    public async Task<FakeLogRecord> UntilAsync(Func<FakeLogRecord, bool> isIt, [CallerArgumentExpression(nameof(isIt))] string what = "") =>
        await _collector.GetLogsAsync(CancellationToken.None).FirstAsync(isIt).AsTask().Soon(what);

    public void Dispose()
    {
    }
}
