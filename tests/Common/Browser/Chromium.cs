using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cluster.Tests.Common;

/// <summary>
/// Debian's chromium with one page, without a window, driven over its DevTools protocol. Used by one test at a time; ended by its id on disposal, and its profile removed.
/// </summary>
public sealed partial class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string? Program =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static folder => Path.Combine(folder, "chromium")).FirstOrDefault(File.Exists);

    private readonly ChildProcess _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _last;

    private Chromium(ChildProcess process, string profile) => (_process, _profile) = (process, profile);

    /// <summary>What the machine lacks; null where it lacks nothing.</summary>
    public static string? Lack { get; } = Program is null ? "chromium is not installed (Debian package chromium)" : null;

    /// <summary>What the page did wrong since it was opened: exceptions, refused resources and scripts.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Starts it with an empty page.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var profile = Directory.CreateTempSubdirectory("chromium").FullName;

        // Its own sandbox does not work for root, as in containers; the page is the product's.
        var process = ChildProcess.Start(
            [Program!, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank"]);
        var browser = new Chromium(process, profile);
        try
        {
            var port = (await process.LineAsync(Listening(), Patience)).Groups[1].Value;
            using var http = new HttpClient();
            var pages = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/json/list")))!.AsArray();
            var page = pages.First(static page => (string?)page!["type"] == "page")!;
            await browser._socket.ConnectAsync(new Uri((string)page["webSocketDebuggerUrl"]!), CancellationToken.None);
            foreach (var domain in new[] { "Page", "Runtime", "Log" })
            {
                await browser.CallAsync($"{domain}.enable", []);
            }

            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    public Task GoAsync(string url) => CallAsync("Page.navigate", new JsonObject { ["url"] = url });

    /// <summary>What the page looks like on a screen of this size.</summary>
    /// <param name="scheme"><c>light</c> or <c>dark</c>.</param>
    public async Task LookAsync(int width, int height, string scheme, bool isPhone = false)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = isPhone });
        await CallAsync(
            "Emulation.setEmulatedMedia",
            new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) });
    }

    public async Task ScreenshotAsync(string file)
    {
        var picture = await CallAsync("Page.captureScreenshot", new JsonObject { ["format"] = "png" });
        await File.WriteAllBytesAsync(file, Convert.FromBase64String((string)picture["data"]!));
    }

    /// <summary>The value of an expression, of a promise too.</summary>
    /// <exception cref="InvalidOperationException">It threw.</exception>
    public async Task<T> EvaluateAsync<T>(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true });
        return answer["exceptionDetails"] is { } thrown
            ? throw new InvalidOperationException($"{expression}: {thrown.ToJsonString()}")
            : answer["result"]!["value"].Deserialize<T>()!;
    }

    /// <summary>Waits in the page until an expression holds.</summary>
    /// <exception cref="TimeoutException">It did not; the message has the page's text.</exception>
    public async Task UntilAsync(string expression, TimeSpan limit)
    {
        var held = await EvaluateAsync<bool>(string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            new Promise(resolve => {
              const end = performance.now() + {{limit.TotalMilliseconds}};
              const look = () => ({{expression}}) ? resolve(true) : performance.now() > end ? resolve(false) : setTimeout(look, 10);
              look();
            })
            """));
        if (!held)
        {
            throw new TimeoutException($"not so within {limit.TotalSeconds} s: {expression}\n{await EvaluateAsync<string>("document.body.innerText")}\n{string.Join('\n', Problems)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (_process.IsRunning)
        {
            await _process.KillAsync();
        }

        await _process.DisposeAsync();

        // Its children end a moment after it, and write until then.
        for (var tries = 0; tries < 100 && Directory.Exists(_profile); tries++)
        {
            try
            {
                Directory.Delete(_profile, recursive: true);
            }
            catch (IOException) when (tries < 99)
            {
                await Task.Yield();
            }
        }
    }

    private async Task<JsonObject> CallAsync(string method, JsonObject parameters)
    {
        using var limit = new CancellationTokenSource(Patience);
        var id = ++_last;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters }.ToJsonString();
        await _socket.SendAsync(Encoding.UTF8.GetBytes(call), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
        while (true)
        {
            var message = await ReceiveAsync(limit.Token);
            if ((int?)message["id"] == id)
            {
                return message["result"]?.AsObject() ?? throw new InvalidOperationException($"{method}: {message.ToJsonString()}");
            }

            Note(message);
        }
    }

    private void Note(JsonObject message)
    {
        var parameters = message["params"];
        if ((string?)message["method"] == "Runtime.exceptionThrown")
        {
            Problems.Add(parameters!["exceptionDetails"]!.ToJsonString());
        }
        else if ((string?)message["method"] == "Log.entryAdded" && (string?)parameters!["entry"]!["level"] == "error")
        {
            Problems.Add(parameters["entry"]!.ToJsonString());
        }
    }

    private async Task<JsonObject> ReceiveAsync(CancellationToken cancellationToken)
    {
        using var whole = new MemoryStream();
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(_buffer, cancellationToken);
            whole.Write(_buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(whole.ToArray())!.AsObject();
    }

    [GeneratedRegex(@"DevTools listening on ws://127\.0\.0\.1:(\d+)/")]
    private static partial Regex Listening();
}
