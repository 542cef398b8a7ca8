using System.Diagnostics;
using System.Security.Cryptography;
using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Console;

/// <summary>The console in a real browser. With <c>WRITE_DOCS=1</c> the pictures of docs/console are taken anew.</summary>
[Collection(RoomyCluster.Name)]
[Trait("Category", "Soak")]
public sealed class ConsoleTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    /// <summary>A name that would be an element, were it taken for markup.</summary>
    private const string Hostile = "<img src=x onerror=alert(1)>";

    private const string Digits = "digits";
    private const int Many = 5000;
    private static readonly TimeSpan Shows = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Console_OfACluster_ShowsWhatTheGatewayAnswers()
    {
        Requires.NoLack(Chromium.Lack);
        await using var cluster = await StartAsync();
        await using var browser = await OpenAsync(cluster.Gateways[0].HttpUrl + "/console");

        var view = await cluster.ViewAsync();
        var models = await RowsAsync(browser, "models-table");
        Assert.Equal(view.Models.Keys.Order(StringComparer.Ordinal), models.Select(static row => row[0]).Order(StringComparer.Ordinal));
        foreach (var row in models)
        {
            var model = view.Models[row[0]];
            Assert.Equal(("1", "ready", $"{view.SilosOf(row[0]).Count} of {model.Copies.Count}"), (row[1], row[2], row[3]));
        }

        Assert.Equal(0, await browser.EvaluateAsync<int>("document.querySelectorAll('img').length"));
        Assert.Equal($"3 silos · {models.Count} of {models.Count} replicas ready · 0 requests refused · store answers", await TextAsync(browser, "health"));

        await GoAsync(browser, "silos");
        var silos = await RowsAsync(browser, "silos-table");
        Assert.Equal(view.Nodes.Select(static node => (node.Silo, node.Status, $"{node.Copies}")), silos.Select(static row => (row[1], row[2], row[5])));

        await GoAsync(browser, "model/" + Digits);
        await browser.UntilAsync("document.querySelectorAll('#placement tbody tr').length === 3", Patience);
        var reasons = (await RowsAsync(browser, "placement")).Select(static row => row[2]).ToList();
        Assert.Single(reasons, "holding a replica already");
        Assert.Equal(2, reasons.Count(static reason => reason == "has room, and is among the best"));
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Try_APictureIsDropped_SaysWhichDigitItShows()
    {
        Requires.NoLack(Chromium.Lack);
        await using var cluster = await StartAsync("speech");
        await using var browser = await OpenAsync(cluster.Gateways[0].HttpUrl + "/console#model/" + Digits);
        await browser.UntilAsync("document.querySelector('#try .drop')", Patience);

        foreach (var (digit, ink, paper) in new[] { ("4", "black", "white"), ("7", "white", "#222"), ("2", "#7a1f1f", "#efe6d0") })
        {
            await DropAsync(browser, digit, ink, paper);
            await browser.EvaluateAsync<bool>("(document.querySelector('#answer').replaceChildren(), document.querySelector('#send').click(), true)");
            await browser.UntilAsync("document.querySelector('#answer .result')", Patience);

            Assert.Equal(digit, await browser.EvaluateAsync<string>("document.querySelector('#answer .result').dataset.class"));
        }

        await TakePicturesAsync(browser, cluster.Gateways[0].HttpUrl);
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task SiloKilled_ShowsWithinTwoSecondsWithWhatFollowed()
    {
        Requires.NoLack(Chromium.Lack);
        await using var cluster = await StartAsync();
        await using var browser = await OpenAsync(cluster.Gateways[0].HttpUrl + "/console#events");
        var victim = (await cluster.ViewAsync()).SilosOf(Digits).Single();

        var killed = Stopwatch.StartNew();
        await cluster.SiloAt(victim).KillAsync();
        await browser.UntilAsync("document.querySelector('#events-list [data-kind=silo_died]')", Patience);
        var told = killed.Elapsed;
        await browser.UntilAsync("document.getElementById('health').textContent.startsWith('2 silos')", Patience);
        var shown = killed.Elapsed;
        await AnswersAsync(cluster);
        await browser.UntilAsync("document.querySelector('#events-list [data-kind=failed_over]')", Patience);
        Output.WriteLine($"a killed silo was told of after {told.TotalMilliseconds:0} ms, and gone after {shown.TotalMilliseconds:0} ms; {await browser.EvaluateAsync<string>("document.querySelector('#events-list [data-kind=failed_over]').innerText.replaceAll('\\n', ' ')")}");

        Assert.InRange(shown, TimeSpan.Zero, Shows + Bounds.Noise);
        await browser.LookAsync(1280, 420, "light");
        await PictureAsync(browser, "events.png");
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Console_OfAServerThatAsksForIdentities_ShowsWhatTheKeyMaySee()
    {
        Requires.NoLack(Chromium.Lack);
        var salt = new byte[16];
        var folder = Directory.CreateTempSubdirectory("cluster-access-");
        var file = Path.Combine(folder.FullName, "access.json");
        var hash = Convert.ToHexString(SHA256.HashData([.. salt, .. "secret"u8]));
        await File.WriteAllTextAsync(file, $$"""
            {"clients": {"team": {"keys": [{"id": "team", "salt": "{{Convert.ToHexString(salt)}}", "sha256": "{{hash}}"}]} },
             "rules": [{"clients": ["team"], "allow": ["observe"], "models": ["*"]}, {"clients": ["team"], "allow": ["read"], "models": ["digits"]}]}
            """);
        await using var server = await ServerProcess.StartAsync("--models", TestPaths.DemoModels, "--access", file);
        await using var browser = await Chromium.StartAsync();
        await browser.GoAsync(server.HttpUrl + "/console");
        await browser.UntilAsync("document.getElementById('sign-in-why')?.textContent === 'This gateway asks who you are.'", Patience);

        await SignInAsync(browser, "team.wrong");
        await browser.UntilAsync("document.getElementById('sign-in-why').textContent.startsWith('the request names no known client')", Patience);
        await SignInAsync(browser, "team.secret");
        await browser.UntilAsync("document.getElementById('range').textContent === '1–1 of 1' && document.getElementById('live').textContent === 'live'", Patience);

        Assert.Equal([Digits], (await RowsAsync(browser, "models-table")).Select(static row => row[0]));
        await GoAsync(browser, "model/" + Digits);
        await browser.UntilAsync("document.querySelector('#send')", Patience);
        await browser.EvaluateAsync<bool>("(document.querySelector('#send').click(), true)");
        await browser.UntilAsync("document.querySelector('#answer').textContent === \"client 'team' may not run 'digits'\"", Patience);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Console_OfManyModels_StaysResponsive()
    {
        Requires.NoLack(Chromium.Lack);
        using var models = ModelFolder.Create();
        for (var i = 0; i < Many; i++)
        {
            models.Put($"model-{i:0000}", OnnxModels.Small(i));
        }

        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--capacity", "64MiB", "--poll-seconds", "0");
        await using var browser = await OpenAsync(server.HttpUrl + "/console");
        await browser.UntilAsync($"document.getElementById('range').textContent === '1–50 of {Many}'", Patience);

        // Each is a whole turn of the page: from the event to the table as it is then.
        var search = await TimeAsync(browser, "const field = document.getElementById('search'); field.value = '4999'; field.dispatchEvent(new Event('input'))");
        Assert.Equal(["model-4999"], (await RowsAsync(browser, "models-table")).Select(static row => row[0]));
        var all = await TimeAsync(browser, "const field = document.getElementById('search'); field.value = ''; field.dispatchEvent(new Event('input'))");
        var sort = await TimeAsync(browser, "document.querySelector('#models-table th:nth-child(6) button').click()");
        var page = await TimeAsync(browser, "document.getElementById('next').click()");
        var refresh = await browser.EvaluateAsync<double>("Number(document.body.dataset.refreshMs)");
        var render = await browser.EvaluateAsync<double>("Number(document.body.dataset.renderMs)");
        Output.WriteLine($"{Many} models: search {search:0.0} ms, all again {all:0.0} ms, sort {sort:0.0} ms, page {page:0.0} ms; a refresh {refresh:0} ms, {render:0.0} ms of it in the page");

        Assert.All([search, all, sort, page, render], static milliseconds => Assert.InRange(milliseconds, 0, 200 + Bounds.Noise.TotalMilliseconds));
        Assert.Empty(browser.Problems);
    }

    /// <param name="another">A third model, beside digits and identity.</param>
    private async Task<TestCluster> StartAsync(string another = Hostile)
    {
        await ClusterEndedAsync();
        var cluster = await TestCluster.StartAsync(new ClusterSetup { Silos = 3, Gateways = 1 }, Output.WriteLine, cluster =>
        {
            cluster.Models.Add(Path.Combine(TestPaths.DemoModels, Digits));
            cluster.Models.Add(Path.Combine(TestPaths.DemoModels, "identity"));
            cluster.Models.Put(another, OnnxModels.Small(1));
        });
        try
        {
            await cluster.UntilAsync(static view => view.Models.Count == 3 && view.Models.Keys.All(model => view.SilosOf(model).Count == 1), Patience);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Two at once would measure each other.</summary>
    private Task ClusterEndedAsync() => shared.EndAsync();

    private static async Task<Chromium> OpenAsync(string url)
    {
        var browser = await Chromium.StartAsync();
        await browser.LookAsync(1280, 800, "light");
        await browser.GoAsync(url);
        await browser.UntilAsync("document.getElementById('health')?.textContent.includes('replicas') && document.getElementById('live').textContent === 'live'", Patience);
        return browser;
    }

    private static Task<bool> SignInAsync(Chromium browser, string key) =>
        browser.EvaluateAsync<bool>($"(document.getElementById('key').value = '{key}', document.getElementById('sign-in').requestSubmit(), true)");

    private static async Task GoAsync(Chromium browser, string page) => await browser.EvaluateAsync<string>($"location.hash = '#{page}'");

    private static Task<string> TextAsync(Chromium browser, string id) => browser.EvaluateAsync<string>($"document.getElementById('{id}').textContent");

    private static async Task<IReadOnlyList<string[]>> RowsAsync(Chromium browser, string id) =>
        await browser.EvaluateAsync<string[][]>($"[...document.querySelectorAll('#{id} tbody tr')].map(row => [...row.cells].map(cell => cell.textContent.trim()))");

    private static Task<double> TimeAsync(Chromium browser, string work) =>
        browser.EvaluateAsync<double>($"(() => {{ const start = performance.now(); {work}; document.body.offsetHeight; return performance.now() - start; }})()");

    /// <summary>Draws a digit and drops it on the form as a file.</summary>
    private static async Task DropAsync(Chromium browser, string digit, string ink, string paper)
    {
        await browser.EvaluateAsync<bool>(
            $$"""
            (async () => {
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [240, 180];
              const context = canvas.getContext('2d');
              context.fillStyle = '{{paper}}';
              context.fillRect(0, 0, 240, 180);
              context.fillStyle = '{{ink}}';
              context.font = '130px "DejaVu Sans", sans-serif';
              context.fillText('{{digit}}', 50, 150);
              const data = new DataTransfer();
              data.items.add(new File([await new Promise(done => canvas.toBlob(done))], '{{digit}}.png', { type: 'image/png' }));
              document.querySelector('#try .drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
              return true;
            })()
            """);
        await browser.UntilAsync($"document.querySelector('#try .drop span').textContent.startsWith('{digit}.png')", Patience);
    }

    /// <summary>A request is answered after the loss of the one replica: it has another loaded.</summary>
    private static async Task AnswersAsync(TestCluster cluster)
    {
        using var body = new StringContent(await File.ReadAllTextAsync(Path.Combine(TestPaths.Root, "examples", "seven.json")));
        using var answer = await cluster.Http.PostAsync(new Uri(cluster.Gateways[0].HttpUrl + "/v2/models/digits/infer"), body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task TakePicturesAsync(Chromium browser, string url)
    {
        await browser.UntilAsync("document.querySelector('#model-versions table').innerText.includes(' ms')", Patience);
        await browser.LookAsync(1000, 1240, "light");
        await PictureAsync(browser, "try.png");
        await browser.GoAsync(url + "/console#models");
        await browser.UntilAsync("document.querySelectorAll('#models-table tbody tr').length === 3 && document.getElementById('live').textContent === 'live'", Patience);
        await browser.LookAsync(1280, 420, "light");
        await PictureAsync(browser, "light.png");
        await browser.LookAsync(1280, 420, "dark");
        await PictureAsync(browser, "dark.png");
        await browser.LookAsync(390, 780, "light", isPhone: true);
        Assert.True(await browser.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than a phone");
        await PictureAsync(browser, "phone.png");
    }

    private static async Task PictureAsync(Chromium browser, string name)
    {
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            var folder = Directory.CreateDirectory(Path.Combine(TestPaths.Root, "docs", "console")).FullName;
            await browser.ScreenshotAsync(Path.Combine(folder, name));
        }
    }
}
