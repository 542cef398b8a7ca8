using System.Net;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Rest;
using Google.Protobuf;
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

/// <summary>KServe's service on a real Kestrel with a serving API of the test's, and an HTTP client that knows nothing of gRPC.</summary>
internal sealed class GrpcTestServer : IAsyncDisposable
{
    public const string Service = "/inference.GRPCInferenceService/";
    public const string Infer = Service + "ModelInfer";
    public const string StreamInfer = Service + "ModelStreamInfer";
    public const string Ready = Service + "ModelReady";

    /// <summary>Reads its body, and is not gRPC.</summary>
    public const string Plain = "/plain";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WebApplication _app;
    private readonly SemaphoreSlim _finished;

    private GrpcTestServer(WebApplication app, LogSink logs, SemaphoreSlim finished)
    {
        _app = app;
        _finished = finished;
        Logs = logs;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        Http1 = new Uri(addresses[1]);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(addresses[0]),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Patience,
        };
    }

    public HttpClient Client { get; }

    /// <summary>The port for HTTP/1.1.</summary>
    public Uri Http1 { get; }

    public LogSink Logs { get; }

    public IServiceProvider Services => _app.Services;

    /// <param name="api">Answers; one that gives each request's first tensor back if null.</param>
    /// <param name="kestrel">Limits that the test needs.</param>
    /// <param name="room">Where requests find their memory; the process' pool if null.</param>
    public static async Task<GrpcTestServer> StartAsync(
        IServingApi? api = null, int maxMessage = 256 << 20, Action<KestrelServerLimits>? kestrel = null, PayloadRoom? room = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var logs = new LogSink();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.ConfigureGrpcLimits(new LimitOptions().StreamsPerConnection);
            kestrel?.Invoke(options.Limits);
            options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(api ?? Echo());
        builder.Services.AddSingleton(room ?? PayloadRoom.Unlimited);
        builder.Services.AddGrpcServer(maxMessage);
        var app = builder.Build();
        var finished = new SemaphoreSlim(0);
        app.Use(async (HttpContext http, RequestDelegate next) =>
        {
            try
            {
                await next(http);
            }
            finally
            {
                finished.Release();
            }
        });
        app.MapKServe();
        app.MapPost(Plain, static http => http.Request.Body.CopyToAsync(Stream.Null));
        await app.StartAsync();
        return new GrpcTestServer(app, logs, finished);
    }

    /// <summary>Gives each request's first raw tensor back.</summary>
    public static FakeServingApi Echo() => new()
    {
        Infer = static (_, request, _) => ValueTask.FromResult(Answer(request.RawInputContents.Count > 0 ? request.RawInputContents[0] : ByteString.Empty)),
    };

    public static InferReply Answer(ByteString raw) => InferReply.Success(PayloadBuffer.CopyOf(new ModelInferResponse { RawOutputContents = { raw } }.ToByteArray()));

    /// <summary>A request with one raw tensor.</summary>
    public static byte[] Request(byte[] raw) => new ModelInferRequest { ModelName = "m", RawInputContents = { UnsafeByteOperations.UnsafeWrap(raw) } }.ToByteArray();

    /// <summary>The tensor of an answer.</summary>
    public static byte[] RawOf(byte[] answer) => ModelInferResponse.Parser.ParseFrom(answer).RawOutputContents[0].ToByteArray();

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
