using System.Net;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>The endpoint on a real Kestrel, and an HTTP/2 client that knows nothing of gRPC.</summary>
internal sealed class GrpcTestServer : IAsyncDisposable
{
    public const string Service = "/inference.GRPCInferenceService/";
    public const string Infer = Service + "ModelInfer";
    public const string StreamInfer = Service + "ModelStreamInfer";
    public const string Ready = Service + "ModelReady";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WebApplication _app;
    private readonly SemaphoreSlim _finished;

    private GrpcTestServer(WebApplication app, LogSink logs, SemaphoreSlim finished)
    {
        _app = app;
        _finished = finished;
        Logs = logs;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(address),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Patience,
        };
    }

    public HttpClient Client { get; }

    public LogSink Logs { get; }

    public static async Task<GrpcTestServer> StartAsync(
        Action<GrpcServiceBuilder> configure,
        Action<GrpcServerOptions>? options = null,
        Action<WebApplication>? map = null,
        Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var logs = new LogSink();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureGrpcLimits();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpcServer(options);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        var finished = new SemaphoreSlim(0);
        app.Use(async (HttpContext http, RequestDelegate next) =>
        {
            await next(http);
            finished.Release();
        });
        app.MapGrpcService(InferenceReflection.Descriptor.Services[0], configure);
        app.MapGrpcFallback();
        map?.Invoke(app);
        await app.StartAsync();
        return new GrpcTestServer(app, logs, finished);
    }

    /// <summary>Waits until the server has let go of one more request.</summary>
    public async Task FinishedAsync() => Assert.True(await _finished.WaitAsync(Patience), "no request ended on the server");

    public Task StopAsync() => _app.StopAsync();

    public Task<GrpcTestReply> CallAsync(string path, byte[] body, params (string Name, string Value)[] headers) =>
        CallAsync(path, new ByteArrayContent(body), headers);

    public async Task<GrpcTestReply> CallAsync(string path, HttpContent body, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(path, body, default, headers);
        return await GrpcTestReply.ReadAsync(response).WaitAsync(Patience);
    }

    public Task<HttpResponseMessage> SendAsync(
        string path, HttpContent body, CancellationToken cancellation, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = body,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (!body.Headers.Contains("content-type"))
        {
            body.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var patience = new CancellationTokenSource(Patience);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }
}
