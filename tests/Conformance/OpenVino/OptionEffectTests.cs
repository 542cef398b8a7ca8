using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.OpenVino;

/// <summary>Options that ONNX Runtime does not read back, by what they do: OpenVINO runs the graph on so many threads, takes parts of it, or does not find the device.</summary>
public sealed class OptionEffectTests(EffectServer server, ITestOutputHelper output) : IClassFixture<EffectServer>
{
    /// <summary>Runs that the middle one is taken of.</summary>
    private const int Runs = 5;

    /// <summary>Runs within which a second thread has to be seen: what else keeps a processor busy may leave it none in some.</summary>
    private const int MostRuns = 20;

    /// <summary>Of the time of both threads: less is the server's own.</summary>
    private const double Shared = 0.2;

    [Fact]
    public async Task Infer_OneStreamOfOneThread_RunsOnOne()
    {
        Require();

        Assert.InRange(await MiddleShareAsync("one_thread", atOnce: 1), 0, Shared);
    }

    [Fact]
    public async Task Infer_OneStreamOfTwoThreads_RunsOneRequestOnBoth()
    {
        Require();

        Assert.InRange(await LargestShareAsync("two_threads", atOnce: 1), Shared, 0.5);
    }

    [Fact]
    public async Task Infer_TwoStreamsOfOneThreadEach_RunsOneRequestOnOneAndTwoOnBoth()
    {
        Require();

        Assert.InRange(await MiddleShareAsync("two_streams", atOnce: 1), 0, Shared);
        Assert.InRange(await LargestShareAsync("two_streams", atOnce: 2), Shared, 0.5);
    }

    [Fact]
    public async Task Load_GraphThatOpenVinoTakesInPart_IsServedWhereCpuNodesAreAllowed()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        Assert.Equal(("UNAVAILABLE", "OpenVINO takes only a part of the graph; provider_options.allow_cpu_nodes lets the rest run on the CPU provider, execution_provider 'cpu' or 'auto' the whole"), await RowAsync("whole"));
        Assert.Equal("READY", (await RowAsync("in_part")).State);
        using var client = new GrpcInferClient(server.Server.GrpcTarget);
        var answer = (await client.InferAsync("in_part", [RawTensor.Fp32("X", [1], [0f])]))[0];
        Assert.Equal([7f], answer.ToFloats());
    }

    [Fact]
    public async Task Load_DeviceThatOpenVinoDoesNotFind_FailsWithItsReason()
    {
        Requires.NoLack(OpenVinoWheel.Lack);

        var (state, reason) = await RowAsync("on_gpu");

        output.WriteLine(reason);
        Assert.Equal("UNAVAILABLE", state);
        Assert.StartsWith("OpenVINO does not take the graph: ", reason, StringComparison.Ordinal);
        Assert.Contains("GPU", reason, StringComparison.Ordinal);
    }

    private static void Require()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        Assert.SkipUnless(Environment.ProcessorCount > 1, "two threads take two processors");
    }

    private async Task<double> MiddleShareAsync(string model, int atOnce)
    {
        var shares = new List<double>();
        while (shares.Count < Runs)
        {
            shares.Add(await ShareAsync(model, atOnce));
        }

        return shares.Order().ElementAt(Runs / 2);
    }

    private async Task<double> LargestShareAsync(string model, int atOnce)
    {
        var largest = 0.0;
        for (var run = 0; run < MostRuns && largest < Shared; run++)
        {
            largest = Math.Max(largest, await ShareAsync(model, atOnce));
        }

        return largest;
    }

    /// <summary>What the second of the server's busiest threads takes while so many requests run.</summary>
    private async Task<double> ShareAsync(string model, int atOnce)
    {
        using var client = new GrpcInferClient(server.Server.GrpcTarget);
        var input = RawTensor.Fp32("X", [1], [1f]);
        var before = ThreadTimes.Of(server.Server.Id);
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => client.InferAsync(model, [input])));
        var share = ThreadTimes.Of(server.Server.Id).ShareOfSecond(before);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}, {atOnce} at once: the second thread took {share:0.00}"));
        return share;
    }

    private async Task<(string State, string Reason)> RowAsync(string model)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Server.HttpUrl) };
        using var answer = await http.PostAsync(new Uri("/v2/repository/index", UriKind.Relative), new StringContent("{}", Encoding.UTF8, "application/json"));
        using var rows = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
        var row = rows.RootElement.EnumerateArray().Single(row => row.GetProperty("name").GetString() == model);
        return (row.GetProperty("state").GetString()!, row.TryGetProperty("reason", out var reason) ? reason.GetString()! : "");
    }
}
