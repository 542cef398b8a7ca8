using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cluster.Tests.Common;

/// <summary>Takes spans by OTLP over HTTP, on a free port of 127.0.0.1, and keeps them.</summary>
public sealed class OtlpCollector : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<OtlpSpan> _spans = new();

    private OtlpCollector()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.Run(TakeAsync);
    }

    public string Url => _app.Urls.First();

    /// <summary>All that came.</summary>
    public IReadOnlyList<OtlpSpan> Spans => [.. _spans];

    public static async Task<OtlpCollector> StartAsync()
    {
        var collector = new OtlpCollector();
        await collector._app.StartAsync();
        return collector;
    }

    /// <summary>Waits until spans of all these names have come, of one trace, and returns what has come of it.</summary>
    /// <exception cref="TimeoutException">They did not; the message has what came.</exception>
    public Task<IReadOnlyList<OtlpSpan>> UntilAsync(string trace, params string[] names) => UntilAsync(span => span.Trace == trace, names);

    /// <inheritdoc cref="UntilAsync(string, string[])"/>
    public async Task<IReadOnlyList<OtlpSpan>> UntilAsync(Func<OtlpSpan, bool> isMeant, params string[] names)
    {
        using var timer = new PeriodicTimer(Look);
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var spans = Spans.Where(isMeant).ToList();
            if (names.All(name => spans.Exists(span => span.Name == name)))
            {
                return spans;
            }

            if (TimeProvider.System.GetElapsedTime(start) > Wait.Limit)
            {
                throw new TimeoutException($"after {Wait.Limit.TotalSeconds:0} s there are only:\n{string.Join('\n', spans)}");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext http)
    {
        if (http.Request.Path != "/v1/traces")
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        foreach (var span in OtlpSpan.Read(ByteString.CopyFrom(body.ToArray())))
        {
            _spans.Enqueue(span);
        }

        http.Response.ContentType = "application/x-protobuf";
    }
}
