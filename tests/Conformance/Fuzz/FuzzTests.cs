using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Fuzz;

/// <summary>
/// A storm of damaged requests on a server process. <c>FUZZ_CASES</c>, <c>FUZZ_SEED</c> and <c>FUZZ_FIRST</c> in the environment set how many, which, and
/// where to begin: the seed and a case's number give that case again.
/// </summary>
public sealed partial class FuzzTests(ITestOutputHelper output)
{
    private const int DefaultSeed = 20;
    private const int DefaultCases = 40_000;
    private const int SoakCases = 600_000;
    private const int Workers = 48;

    /// <summary>Cases after which buffers, code and pools are as large as they get.</summary>
    private const int WarmUpShare = 5;

    /// <summary>Resident memory may end this far above its level after the warm-up: what pools and the heap keep varies by it from run to run.</summary>
    private const long MemoryMargin = 96L << 20;

    /// <summary>Descriptors that the runtime opens when they are first needed: event queues, pipes, libraries.</summary>
    private const int HandleMargin = 40;
    private const int ErrorsShown = 5;

    private static readonly TimeSpan QuietDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromSeconds(1);

    [Fact]
    public Task Server_UnderDamagedRequests_AnswersEachAndReturnsToItsLevel() => RunAsync(DefaultCases);

    [Fact]
    [Trait("Category", "Soak")]
    public Task Server_UnderManyDamagedRequests_AnswersEachAndReturnsToItsLevel() => RunAsync(SoakCases);

    private async Task RunAsync(int many)
    {
        var (seed, first, cases) = (FuzzRun.Seed(DefaultSeed), FuzzRun.Number("FUZZ_FIRST", 0), FuzzRun.Cases(many));
        using var models = ModelFolder.Create();
        foreach (var model in ModelShape.All)
        {
            models.Add(Path.Combine(model.Name == "digits" ? TestPaths.DemoModels : TestPaths.TestModels, model.Name));
        }

        await using var server = await ServerProcess.StartAsync("--models", models.Path);
        var storm = new Storm(server, new FuzzCases(seed), Workers);
        var idle = ProcessVitals.Of(server.Id);
        var warmUp = cases / WarmUpShare;
        await storm.RunAsync(first, warmUp);
        Report(storm, server);
        var warm = ProcessVitals.Of(server.Id);
        var seriesBefore = await CountSeriesAsync(server);

        var start = TimeProvider.System.GetTimestamp();
        await storm.RunAsync(first + warmUp, cases - warmUp);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        Report(storm, server);
        var hot = ProcessVitals.Of(server.Id);
        var calm = await CalmDownAsync(server, warm.ResidentBytes + MemoryMargin, idle.Handles + HandleMargin);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {seed}: {cases - warmUp} cases in {seconds:0} s after {warmUp} of warm-up, slowest call {storm.Slowest.TotalMilliseconds:0} ms (case {storm.SlowestCase.Number}, {storm.SlowestCase.Kind}, {storm.SlowestCase.Body.Length} bytes)"));
        output.WriteLine($"idle: {idle}; after warm-up: {warm}; after the storm: {hot}; after the quiet period: {calm}");
        Assert.InRange(calm.ResidentBytes, 0, warm.ResidentBytes + MemoryMargin);
        Assert.InRange(calm.Handles, 0, idle.Handles + HandleMargin);
        Assert.Equal(seriesBefore, await CountSeriesAsync(server));
        Assert.Equal(0, await CurrentRequestsAsync(server));
        Assert.InRange(await OpenConnectionsAsync(server), 0, 1);
    }

    [GeneratedRegex(@"^(?:ovms_current_requests|cluster_waiting_requests|ovms_infer_req_active)\{.*\} (\d+)$", RegexOptions.Multiline)]
    private static partial Regex InProcessing();

    [GeneratedRegex(@"^kestrel_active_connections\{.*\} (\d+)$", RegexOptions.Multiline)]
    private static partial Regex Connections();

    [GeneratedRegex("^(?:ovms|cluster)_(?!runtime)[^#]*$", RegexOptions.Multiline)]
    private static partial Regex ModelSeries();

    private static async Task<string> MetricsAsync(ServerProcess server)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri(server.HttpUrl + "/metrics"));
    }

    /// <summary>No request may make a series, with any name in it.</summary>
    private static async Task<int> CountSeriesAsync(ServerProcess server) => ModelSeries().Count(await MetricsAsync(server));

    private static Task<int> CurrentRequestsAsync(ServerProcess server) => SumAsync(server, InProcessing());

    /// <summary>The one that asks included.</summary>
    private static Task<int> OpenConnectionsAsync(ServerProcess server) => SumAsync(server, Connections());

    private static async Task<int> SumAsync(ServerProcess server, Regex series) => series
        .Matches(await MetricsAsync(server))
        .Sum(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));

    /// <summary>Waits until memory and descriptors are where they were, or long enough.</summary>
    private static async Task<ProcessVitals> CalmDownAsync(ServerProcess server, long memory, int handles)
    {
        using var timer = new PeriodicTimer(QuietPeriod);
        var start = TimeProvider.System.GetTimestamp();
        var now = ProcessVitals.Of(server.Id);
        while ((now.ResidentBytes > memory || now.Handles > handles || await OpenConnectionsAsync(server) > 1)
            && TimeProvider.System.GetElapsedTime(start) < QuietDeadline
            && await timer.WaitForNextTickAsync())
        {
            now = ProcessVitals.Of(server.Id);
        }

        return now;
    }

    private void Report(Storm storm, ServerProcess server)
    {
        foreach (var line in storm.Report())
        {
            output.WriteLine(line);
        }

        if (storm.ViolationCount > 0)
        {
            var errors = server.Output.Split('\n').Where(line => line.Contains(" fail: ", StringComparison.Ordinal)).TakeLast(ErrorsShown);
            Assert.Fail($"{storm.ViolationCount} violations, among them:\n{string.Join('\n', storm.Violations)}\nThe server's log:\n{string.Join('\n', errors)}");
        }
    }
}
