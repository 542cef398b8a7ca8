using Cluster.Gateway.Rest;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

public sealed class RestBoundaryTests
{
    public static TheoryData<Exception> Ends { get; } =
    [
        new ConnectionResetException("reset by peer"),
        new TaskCanceledException("The request was aborted", new ConnectionAbortedException("stream reset")),
    ];

    [Theory]
    [MemberData(nameof(Ends), DisableDiscoveryEnumeration = true)]
    public async Task Handler_ReadFindsTheConnectionReset_IsTheClientsEndAndNoFailure(Exception thrown)
    {
        var (status, logs) = await RunAsync(thrown);

        Assert.Equal(499, status);
        Assert.Empty(logs.Problems);
    }

    [Fact]
    public async Task Handler_IOExceptionWhileTheClientIsThere_IsAFailure()
    {
        var (status, logs) = await RunAsync(new IOException("disk full"));

        Assert.Equal(500, status);
        Assert.Single(logs.Problems);
    }

    private static async Task<(int Status, LogSink Logs)> RunAsync(Exception thrown)
    {
        var logs = new LogSink();
        using var factory = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(logs));
        var boundary = new RestBoundary(TimeProvider.System, factory.CreateLogger<RestBoundary>());
        var context = new DefaultHttpContext();
        await boundary.Around(_ => throw thrown)(context);
        return (context.Response.StatusCode, logs);
    }
}
