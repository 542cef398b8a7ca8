using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Trust;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>What runs before a replica serves.</summary>
public sealed class WarmUpTests(OnnxBench bench) : IClassFixture<OnnxBench>, IDisposable
{
    private const int Rows = 4096;

    private readonly ModelFolder _folder = ModelFolder.Create();

    [Fact]
    public async Task Sample_BesideTheModel_IsWhatIsRun()
    {
        var zeros = await OpenAsync("zeros");
        var sample = await OpenAsync("sample", Request("x", Rows));
        var unasked = await OpenAsync("unasked", Request("x", Rows), new ModelSettings { WarmUp = false });

        Assert.InRange(zeros.RunMemory.Peak, 1, Rows);
        Assert.InRange(sample.RunMemory.Peak, Rows * 4 * sizeof(float), long.MaxValue);
        Assert.Equal(0, unasked.RunMemory.Peak);
    }

    [Theory]
    [InlineData("z", "unexpected inference input 'z' for model 'm'; expected inputs: 'x'")]
    [InlineData(null, "JSON")]
    public async Task Sample_ThatDoesNotFit_IsLeftOutWithItsReason(string? input, string expected)
    {
        var model = await OpenAsync($"wrong_{input}", input is null ? "{\"inputs\": [" : Request(input, 1));

        Assert.InRange(model.RunMemory.Peak, 1, Rows);
        Assert.Contains(bench.Logged, entry => entry is { Id.Id: 2280, Level: LogLevel.Warning } && entry.Message.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sample_ThatIsTooLong_IsRefusedByItsSize()
    {
        var folder = Folder("long");
        using (var file = File.Create(Path.Combine(folder, VersionContent.SampleFile)))
        {
            file.SetLength(VersionContent.MaxSample + 1L);
        }

        var exception = await Assert.ThrowsAsync<ServingException>(() => bench.OpenFileAsync("m", Path.Combine(folder, "model.onnx")));

        Assert.Contains("warm_up: 'warmup.json' has 16777217 bytes, at most 16777216 are read", exception.Failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 0, 60_000, 1)]
    [InlineData(2, 0, 60_000, 3)]
    [InlineData(2, 60_000, 60_000, 1)]
    [InlineData(2, 0, 0, 1)]
    public async Task Run_SlotsAndARunBetweenTheBounds_RunsInEach(int slots, int leastMilliseconds, int mostMilliseconds, int expected)
    {
        Assert.SkipUnless(Environment.ProcessorCount >= slots, "no more slots are run than there are processors");
        var model = await OpenAsync($"slots_{slots}_{leastMilliseconds}_{mostMilliseconds}");
        using var inputs = WarmUpInputs.Zeros(model.Signature)!;
        var told = 0;

        var warmUp = new WarmUp(TimeProvider.System) { LeastForSlots = TimeSpan.FromMilliseconds(leastMilliseconds), MostForSlots = TimeSpan.FromMilliseconds(mostMilliseconds) };
        var runs = warmUp.Run(
            model.Session, inputs, model.Signature.OutputNames, slots, long.MaxValue, _ => Interlocked.Increment(ref told), CancellationToken.None);

        Assert.Equal((expected, expected), (runs.Count, told));
        Assert.InRange(runs.Shortest.TotalSeconds, double.Epsilon, 60);
    }

    public void Dispose() => _folder.Dispose();

    private static string Request(string input, int rows) =>
        $$"""{"inputs": [{"data": [{{string.Join(',', Enumerable.Repeat("1.5", rows * 4))}}], "name": "{{input}}", "datatype": "FP32", "shape": [{{rows}}, 4]}]}""";

    private string Folder(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), OnnxFile.Sum(["n", "4"]));
        return folder;
    }

    private async Task<LoadedModel> OpenAsync(string name, string? sample = null, ModelSettings? settings = null)
    {
        var folder = Folder(name);
        if (sample is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, VersionContent.SampleFile), sample);
        }

        return await bench.OpenFileAsync("m", Path.Combine(folder, "model.onnx"), settings: settings);
    }
}
