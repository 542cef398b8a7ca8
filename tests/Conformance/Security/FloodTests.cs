using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Security;

/// <summary>
/// Published ways to keep a server busy with little, each from eight connections that are opened again where the server closes them, while a client that behaves sends requests: none of
/// its requests fails, and memory and descriptors return to their level. docs/security.md names the attacks by number.
/// </summary>
public sealed class FloodTests(AttackedServer attacked, ITestOutputHelper output) : IClassFixture<AttackedServer>
{
    private const int Attackers = 8;

    /// <summary>Pools and heaps keep so much after any load.</summary>
    private const long MemoryMargin = 128L << 20;
    private const int HandleMargin = 60;

    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>On two cores that attackers use too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Attacks => [.. Floods.All.Keys];

    /// <summary>What needs no half a minute: by resets, and by headers.</summary>
    public static TheoryData<string> Few => ["rapid reset", "continuations without an end"];

    /// <summary>Beside other tests, on two cores: slow answers are no failure here, and memory needs time.</summary>
    [Theory]
    [MemberData(nameof(Few))]
    public Task Server_UnderAttack_ServesOthersAndReturnsToItsLevel(string attack) => RunAsync(attack, Brief, 4 * MemoryMargin);

    [Theory]
    [Trait("Category", "Soak")]
    [MemberData(nameof(Attacks))]
    public Task Server_UnderAttackForLong_ServesOthersAndReturnsToItsLevel(string attack) => RunAsync(attack, Long, MemoryMargin);

    private async Task RunAsync(string attack, TimeSpan time, long margin)
    {
        var server = attacked.Server;
        using var http = new HttpClient { Timeout = Patience };
        await BehaveAsync(http, server, Brief / 4);
        var before = ProcessVitals.Of(server.Id);
        var written = server.Output.Split('\n').Length;
        var flood = Floods.All[attack];
        var port = flood.IsHttp1 ? server.HttpPort : server.GrpcPort;
        using var stop = new CancellationTokenSource();
        var attackers = Enumerable.Range(0, Attackers).Select(_ => Task.Run(() => Floods.RepeatAsync(port, flood, stop.Token))).ToList();

        var (requests, slowest) = await BehaveAsync(http, server, time);
        await stop.CancelAsync();
        var connections = (await Task.WhenAll(attackers)).Sum();

        output.WriteLine($"{attack}: {connections} connections of {Attackers} attackers in {time.TotalSeconds} s; {requests} requests, slowest {slowest.TotalMilliseconds:0} ms; {before} before, {ProcessVitals.Of(server.Id)} after");
        Assert.False(server.HasExited);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (ProcessVitals.Of(server.Id) is var after && (after.ResidentBytes > before.ResidentBytes + margin || after.Handles > before.Handles + HandleMargin))
        {
            Assert.False(limit.IsCancellationRequested, $"{attack}: {before} before, {after} after");
            await BehaveAsync(http, server, Brief / 4);
        }

        // What clients cause does not fill the log.
        var lines = server.Output.Split('\n').Length - written;
        Assert.True(lines < 60, $"{attack}: {lines} lines in the log, the last of them {server.Output[Math.Max(0, server.Output.Length - 2000)..]}");
    }

    /// <summary>Requests one after the other; none may fail.</summary>
    private static async Task<(int Requests, TimeSpan Slowest)> BehaveAsync(HttpClient http, ServerProcess server, TimeSpan time)
    {
        var start = TimeProvider.System.GetTimestamp();
        var (requests, slowest) = (0, TimeSpan.Zero);
        while (TimeProvider.System.GetElapsedTime(start) < time)
        {
            var sent = TimeProvider.System.GetTimestamp();
            using var content = new StringContent("""{"inputs":[{"name":"b","datatype":"FP32","shape":[1,10],"data":[1,2,3,4,5,6,7,8,9,10]}]}""");
            using var answer = await http.PostAsync(new Uri($"{server.HttpUrl}/v2/models/add_one/infer"), content);
            Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            requests++;
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, TimeProvider.System.GetElapsedTime(sent).Ticks));
        }

        return (requests, slowest);
    }
}

/// <summary>A server that attacks are tried on, one after the other.</summary>
public sealed class AttackedServer : IAsyncLifetime
{
    private readonly ModelFolder _models = ModelFolder.Create().Add(Path.Combine(TestPaths.TestModels, "add_one"));

    public ServerProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ServerProcess.StartAsync("--models", _models.Path);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _models.Dispose();
    }
}
