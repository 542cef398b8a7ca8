using System.Net;
using System.Text;
using System.Text.Json;
using Cluster.Contracts.Buffers;
using Cluster.Gateway.Console;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>The REST front end on a real port, over a fake API.</summary>
internal sealed class RestHost : IAsyncDisposable
{
    public const string InferPath = "/v2/models/m/infer";

    private readonly WebApplication _application;

    private RestHost(WebApplication application, FakeServingApi api)
    {
        _application = application;
        Api = api;
        Address = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public FakeServingApi Api { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public Timeline Timeline => _application.Services.GetRequiredService<Timeline>();

    /// <param name="console">Null for the defaults.</param>
    /// <param name="room">Where requests find their memory; the process' pool if null.</param>
    public static async Task<RestHost> StartAsync(Action<RestOptions>? configure = null, ConsoleOptions? console = null, PayloadRoom? room = null)
    {
        var api = new FakeServingApi();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (console is not null)
        {
            builder.Configuration["Console:Enabled"] = $"{console.Enabled}";
        }

        builder.Services.AddSingleton(room ?? PayloadRoom.Unlimited);
        builder.Services.AddSingleton<IServingApi>(api).AddRest().Configure(configure ?? (static _ => { }));
        builder.WebHost.UseKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.ApplicationServices.GetRequiredService<Microsoft.Extensions.Options.IOptions<RestOptions>>().Value.ApplyTo(kestrel.Limits);
        });
        var application = builder.Build();
        application.MapConsole();
        application.MapRest();
        await application.StartAsync();
        return new RestHost(application, api);
    }

    public static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    public Task<Answer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>As the Python client does: no Content-Type.</summary>
    public Task<Answer> PostAsync(string path, string? body = null, params (string Name, string Value)[] headers) =>
        PostAsync(path, body is null ? null : Encoding.UTF8.GetBytes(body), headers);

    public Task<Answer> PostAsync(string path, byte[]? body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body is null ? null : new ByteArrayContent(body) };
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return SendAsync(request);
    }

    public Task<Answer> InferAsync(string json, params (string Name, string Value)[] headers) => PostAsync(InferPath, json, headers);

    /// <summary>JSON followed by bytes, with the header that says where they part.</summary>
    public Task<Answer> InferBinaryAsync(string json, byte[] tail, params (string Name, string Value)[] headers)
    {
        var head = Encoding.UTF8.GetBytes(json);
        return PostAsync(InferPath, [.. head, .. tail], [.. headers, ("Inference-Header-Content-Length", $"{head.Length}")]);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await Client.SendAsync(request);
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, headers, await response.Content.ReadAsByteArrayAsync());
    }

    public Task StopAsync() => _application.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.DisposeAsync();
    }
}
