using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Unit.Cli;

/// <summary>A server on a free port of 127.0.0.1 that answers what the test says, and keeps what it was asked.</summary>
internal sealed class AnsweringServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AnsweringServer(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>The values of Authorization, null where there was none.</summary>
    public ConcurrentQueue<string?> Credentials { get; } = new();

    /// <summary>Bodies of what was posted.</summary>
    public ConcurrentQueue<string> Bodies { get; } = new();

    /// <param name="answers">By path.</param>
    public static Task<AnsweringServer> StartAsync(params (string Path, string Answer)[] answers) =>
        StartAsync(http => http.Response.WriteAsync(answers.Single(answer => answer.Path == http.Request.Path).Answer));

    public static async Task<AnsweringServer> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new AnsweringServer(builder.Build());
        server._app.Run(async http =>
        {
            server.Credentials.Enqueue(http.Request.Headers.Authorization);
            if (HttpMethods.IsPost(http.Request.Method))
            {
                using var body = new StreamReader(http.Request.Body);
                server.Bodies.Enqueue(await body.ReadToEndAsync(http.RequestAborted));
            }

            await answer(http);
        });
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
