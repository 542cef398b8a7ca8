using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cluster.Contracts.Protocol.Mesh;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Unit.Cli;

/// <summary>A gateway that has what a test says, keeps what it is asked to change, and refuses what the test says.</summary>
internal sealed class FakeGateway : IAsyncDisposable
{
    private const string Grpc = "application/grpc-web";
    private const int FrameHeader = 5;
    private const byte TrailerFrame = 0x80;

    private readonly WebApplication _app;

    private FakeGateway()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public List<ModelEntry> Models { get; } = [];

    public List<VModelEntry> Aliases { get; } = [];

    /// <summary>The state and rule of alias <c>a</c>.</summary>
    public JsonObject? Traffic { get; set; }

    /// <summary>What each opening of the stream of events answers before it ends.</summary>
    public ConcurrentQueue<string> Streams { get; } = [];

    /// <summary>What was asked for, without lists.</summary>
    public List<IMessage> Calls { get; } = [];

    /// <summary>Paths and bodies of what was posted over REST.</summary>
    public List<string> Posts { get; } = [];

    /// <summary>Why a call is refused; null for one that is not.</summary>
    public Func<IMessage, string?> Refusal { get; set; } = static _ => null;

    public static async Task<FakeGateway> StartAsync()
    {
        var gateway = new FakeGateway();
        await gateway._app.StartAsync();
        return gateway;
    }

    public Task<CliRun> RunAsync(params string[] arguments) =>
        CliRun.RunAsync([.. arguments, "--server", _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()]);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var method = path[(path.LastIndexOf('/') + 1)..];
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        if (http.Request.ContentType?.StartsWith(Grpc, StringComparison.Ordinal) == true)
        {
            await CallAsync(http, method, body.ToArray().AsMemory(FrameHeader));
        }
        else if (method == "events")
        {
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync(Streams.TryDequeue(out var events) ? events : "");
        }
        else
        {
            if (HttpMethods.IsPost(http.Request.Method))
            {
                Posts.Add($"{path} {Encoding.UTF8.GetString(body.ToArray())}");
            }

            var alias = new JsonObject { ["alias"] = "a", ["traffic"] = Traffic?.DeepClone() };
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync((method == "aliases" ? new JsonObject { ["aliases"] = new JsonArray(alias) } : alias).ToJsonString());
        }
    }

    private async Task CallAsync(HttpContext http, string method, ReadOnlyMemory<byte> message)
    {
        var (request, answer) = Serve(method, message);
        if (!method.StartsWith("list", StringComparison.Ordinal))
        {
            Calls.Add(request);
        }

        var refusal = Refusal(request);
        http.Response.ContentType = Grpc;
        if (refusal is null)
        {
            await WriteAsync(http, 0, answer.ToByteArray());
        }

        await WriteAsync(http, TrailerFrame, Encoding.ASCII.GetBytes(refusal is null ? "grpc-status: 0\r\n" : $"grpc-status: 3\r\ngrpc-message: {refusal}\r\n"));
    }

    private (IMessage Request, IMessage Answer) Serve(string method, ReadOnlyMemory<byte> message) => method switch
    {
        "listModels" => (ListModelsRequest.Parser.ParseFrom(message.Span), new ListModelsResponse { Models = { Models } }),
        "listVModels" => (ListVModelsRequest.Parser.ParseFrom(message.Span), new ListVModelsResponse { VModels = { Aliases } }),
        "registerModel" => (RegisterModelRequest.Parser.ParseFrom(message.Span), new ModelStatusInfo()),
        "unregisterModel" => (UnregisterModelRequest.Parser.ParseFrom(message.Span), new UnregisterModelResponse()),
        "ensureLoaded" => (EnsureLoadedRequest.Parser.ParseFrom(message.Span), new ModelStatusInfo()),
        "setVModel" => (SetVModelRequest.Parser.ParseFrom(message.Span), new VModelStatusInfo()),
        "deleteVModel" => (DeleteVModelRequest.Parser.ParseFrom(message.Span), new DeleteVModelResponse()),
        _ => throw new InvalidOperationException($"a test calls {method}"),
    };

    private static async Task WriteAsync(HttpContext http, byte kind, byte[] content)
    {
        var header = new byte[FrameHeader];
        header[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(1), content.Length);
        await http.Response.Body.WriteAsync(header);
        await http.Response.Body.WriteAsync(content);
    }
}
