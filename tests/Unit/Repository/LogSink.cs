using Cluster.Grains.Repository;
using Microsoft.Extensions.Logging;

namespace Cluster.Unit.Repository;

internal sealed class LogSink : ILogger<FileModelRepository>
{
    public List<(int Id, LogLevel Level, string Text)> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Entries.Add((eventId.Id, logLevel, formatter(state, exception)));
}
