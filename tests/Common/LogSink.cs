using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Cluster.Tests.Common;

/// <summary>Keeps what is logged, for tests to look at.</summary>
public sealed class LogSink : ILoggerProvider
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();

    private event Action? Added;

    /// <summary>Everything so far, oldest first.</summary>
    public IReadOnlyCollection<LogEntry> Entries => [.. _entries];

    /// <summary>Warnings and worse.</summary>
    public IEnumerable<string> Problems => Entries.Where(static entry => entry.Level >= LogLevel.Warning).Select(static entry => entry.Message);

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, this);

    /// <summary>Waits for an entry: what a test sees from outside may come before the line about it.</summary>
    public async Task<LogEntry> UntilAsync(Func<LogEntry, bool> isIt, [CallerArgumentExpression(nameof(isIt))] string what = "")
    {
        var found = new TaskCompletionSource<LogEntry>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (_entries.FirstOrDefault(isIt) is { } entry)
            {
                found.TrySetResult(entry);
            }
        }

        Added += Look;
        Look();
        try
        {
            return await found.Task.Soon(what);
        }
        finally
        {
            Added -= Look;
        }
    }

    public void Dispose()
    {
    }

    private void Add(LogEntry entry)
    {
        _entries.Enqueue(entry);
        Added?.Invoke();
    }

    private sealed class Logger(string category, LogSink sink) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            sink.Add(new LogEntry(category, logLevel, eventId.Id, formatter(state, exception), exception));
    }
}
