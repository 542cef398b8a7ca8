using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Tokens;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

/// <summary>Keys of tokens at an address that answers well, badly, late or not at all.</summary>
public sealed class TokenKeyReaderTests : IAsyncLifetime
{
    /// <summary>Until the address is asked again that was away, doubled each time.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    private readonly WatchedTime _time = new(TimeProvider.System.GetUtcNow());
    private readonly ECDsa _old = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _new = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly TestCertificates _certificates = TestCertificates.Create("127.0.0.1");
    private readonly LogSink _log = new();
    private readonly TokenOptions _options;
    private readonly TokenValidator _validator;
    private WebApplication? _issuer;
    private TokenKeyReader? _reader;
    private RequestDelegate _answer;
    private int _asked;

    public TokenKeyReaderTests()
    {
        _answer = KeysOf(_old, "old");
        _options = new TokenOptions { Issuer = TestTokens.Issuer, Audience = TestTokens.Audience, KeysCa = _certificates.Authority, ReadTimeout = TimeSpan.FromMinutes(1) };
        _validator = new TokenValidator(_options, _time);
    }

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            listen.UseHttps(X509Certificate2.CreateFromPemFile(_certificates.Certificate, _certificates.Key))));
        _issuer = builder.Build();
        _issuer.Run(http =>
        {
            Interlocked.Increment(ref _asked);
            return _answer(http);
        });
        await _issuer.StartAsync(TestContext.Current.CancellationToken);
        _options.Keys = _issuer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/keys";
    }

    public async ValueTask DisposeAsync()
    {
        if (_reader is not null)
        {
            await _reader.StopAsync(CancellationToken.None);
            _reader.Dispose();
        }

        await _issuer!.DisposeAsync();
        _certificates.Dispose();
        _old.Dispose();
        _new.Dispose();
    }

    [Fact]
    public async Task Start_TakesTheKeysOfTheAddress()
    {
        await StartAsync();

        Assert.True(await IsGoodAsync(_old, "old"));
        Assert.False(await IsGoodAsync(_new, "new"));
        Assert.Equal(_time.GetUtcNow(), _validator.KeysTaken);
    }

    /// <summary>A whole server asks the address before it answers.</summary>
    [Fact]
    public async Task Server_WithAnAddress_KnowsTheClientsOfItsTokens()
    {
        using var access = new TestAccess();
        access.Write(new { clients = new { a = new { tokens = new[] { "me" } } }, rules = Array.Empty<object>() });
        var app = await ServeHosts.StartAsync(
            ("Cluster:Models", TestPaths.DemoModels), ("Cluster:Access", access.File), ("Cluster:TokenKeys", _options.Keys!), ("Tokens:KeysCa", _certificates.Authority),
            ("Tokens:Issuer", TestTokens.Issuer), ("Tokens:Audience", TestTokens.Audience));
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
            foreach (var (key, id, status) in new[] { (_old, "old", HttpStatusCode.OK), (_new, "new", HttpStatusCode.Unauthorized) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/v2");
                request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", TestTokens.Sign(key, TimeProvider.System, keyId: id));
                using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal(status, answer.StatusCode);
            }
        }
        finally
        {
            await app.EndAsync();
        }
    }

    [Theory]
    [InlineData("error", "it answers 500, expected 200")]
    [InlineData("redirect", "it answers 302, expected 200")]
    [InlineData("page", "it holds no keys of tokens: ")]
    [InlineData("empty", "it holds no keys of tokens: ")]
    [InlineData("large", "it cannot be asked: ")]
    [InlineData("cut", "it cannot be asked: ")]
    public async Task Read_OfWhatIsNoKeySet_LeavesTheKeysBefore(string answer, string reason)
    {
        await StartAsync();
        var before = _asked;
        _answer = answer switch
        {
            "error" => static http => Status(http, 500),
            "redirect" => static http => RedirectAsync(http),
            "page" => static http => http.Response.WriteAsync("<html>"),
            "empty" => static http => http.Response.WriteAsync("""{"keys":[]}"""),
            "large" => http => http.Response.WriteAsync(TestTokens.KeySet(_new) + new string(' ', TokenKeyReader.MaxBytes)),
            _ => static http => CutAsync(http),
        };

        Assert.False(await _reader!.TryReadAsync(CancellationToken.None));

        Assert.Equal(1, _asked - before);
        Assert.True(await IsGoodAsync(_old, "old"));
        Assert.Contains(_log.Problems, problem => problem.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_WhereTheAddressIsAway_TakesNoTokensUntilItIsThere()
    {
        _answer = static http => Status(http, 503);
        await StartAsync();
        Assert.False(await IsGoodAsync(_old, "old"));
        Assert.Null(_validator.KeysTaken);

        _answer = KeysOf(_old, "old");
        await AdvanceAsync(FirstRetry);
        await TakenAsync(times: 1);

        Assert.True(await IsGoodAsync(_old, "old"));
    }

    /// <summary>However long it was away.</summary>
    [Fact]
    public async Task AToken_WhileThereAreNoKeys_HasThemReadSoon()
    {
        _answer = static http => Status(http, 503);
        await StartAsync();
        await AdvanceAsync(FirstRetry);
        await AdvanceAsync(2 * FirstRetry);
        await AdvanceAsync(4 * FirstRetry);
        await _time.Armed.WaitAsync(TestContext.Current.CancellationToken).Soon();

        _answer = KeysOf(_old, "old");
        Assert.False(await IsGoodAsync(_old, "old"));
        _time.Advance(TokenKeyReader.LeastInterval);
        await TakenAsync(times: 1);

        Assert.True(await IsGoodAsync(_old, "old"));
    }

    [Fact]
    public async Task Start_WhereTheAddressHangs_GoesOnAfterTheTimeout()
    {
        _options.ReadTimeout = TimeSpan.FromSeconds(1);
        _answer = static http => Task.Delay(Timeout.Infinite, http.RequestAborted);

        await StartAsync().Soon();

        Assert.Null(_validator.KeysTaken);
        Assert.Contains(_log.Problems, static problem => problem.Contains("does not answer within 1 s", StringComparison.Ordinal));
    }

    /// <summary>An unknown key has the address read before its time, but not more often than each half minute.</summary>
    [Fact]
    public async Task ATokenByANewKey_HasTheKeysReadSoon()
    {
        await StartAsync();
        _answer = KeysOf(_new, "new");
        for (var i = 0; i < 10; i++)
        {
            Assert.False(await IsGoodAsync(_new, "new"));
        }

        Assert.Equal(1, _asked);
        await AdvanceAsync(TokenKeyReader.LeastInterval);
        await TakenAsync(times: 2);

        Assert.True(await IsGoodAsync(_new, "new"));
        Assert.False(await IsGoodAsync(_old, "old"));
    }

    [Fact]
    public async Task Start_WithoutTheAuthorityOfTheAddress_TakesNothing()
    {
        using var others = TestCertificates.Create("127.0.0.1");
        _options.KeysCa = others.Authority;

        await StartAsync();

        Assert.Equal(0, _asked);
        Assert.Null(_validator.KeysTaken);
    }

    [Theory]
    [InlineData("https://issuer.example/keys?x=1", true)]
    [InlineData("http://issuer.example/keys", false)]
    [InlineData("https://me:secret@issuer.example/keys", false)]
    [InlineData("https://issuer.example/keys#part", false)]
    [InlineData("file:///etc/keys", false)]
    [InlineData("https://", false)]
    public void Address_IsHttpsAlone(string text, bool isRight)
    {
        Assert.True(TokenKeyAddress.IsAddress(text));
        Assert.Equal(isRight, TokenKeyAddress.Parse(text) is not null);
    }

    private static RequestDelegate KeysOf(ECDsa key, string id) => http => http.Response.WriteAsync(TestTokens.KeySet(key, id));

    private static Task Status(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task RedirectAsync(HttpContext http)
    {
        http.Response.Redirect("/elsewhere");
        return Task.CompletedTask;
    }

    /// <summary>Less than was promised.</summary>
    private static async Task CutAsync(HttpContext http)
    {
        http.Response.ContentLength = 1000;
        await http.Response.WriteAsync("{");
        await http.Response.Body.FlushAsync();
        http.Abort();
    }

    private Task StartAsync()
    {
        using var loggers = new LoggerFactory([_log]);
        _reader = new TokenKeyReader(_validator, _options, _time, loggers.CreateLogger<TokenKeyReader>());
        return _reader.StartAsync(TestContext.Current.CancellationToken);
    }

    private async Task<bool> IsGoodAsync(ECDsa key, string id) =>
        (await _validator.ValidateAsync(TestTokens.Sign(key, _time, keyId: id, expires: TimeSpan.FromHours(1)))).Subject == "me";

    /// <summary>Lets time pass once the reader waits for it.</summary>
    private async Task AdvanceAsync(TimeSpan time)
    {
        await _time.Armed.WaitAsync(TestContext.Current.CancellationToken).Soon();
        _time.Advance(time);
    }

    /// <summary>Returns when keys have been taken so often.</summary>
    private async Task TakenAsync(int times)
    {
        var taken = 0;
        await _log.UntilAsync(entry => entry.Id == 3264 && ++taken == times);
    }

    /// <summary>Tells of each wait for a time.</summary>
    private sealed class WatchedTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        /// <summary>Has one for each wait that began.</summary>
        public SemaphoreSlim Armed { get; } = new(0);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Armed.Release();
            return timer;
        }
    }
}
