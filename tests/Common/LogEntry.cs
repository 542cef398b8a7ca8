using Microsoft.Extensions.Logging;

namespace Cluster.Tests.Common;

/// <summary>One message that was logged.</summary>
public sealed record LogEntry(string Category, LogLevel Level, int EventId, string Message, Exception? Exception);
