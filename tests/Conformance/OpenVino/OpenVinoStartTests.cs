using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.OpenVino;

/// <summary>What <c>--openvino</c> can name, and whole servers on it.</summary>
public sealed class OpenVinoStartTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Start_WithThePlugin_ServesOnIntelAndSaysWhyNotElsewhere()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        using var models = ModelFolder.Create();
        models.AddVersion("mnist", 1, Path.Combine(TestPaths.SharedModels!, "mnist.onnx"));
        await File.WriteAllTextAsync(Path.Combine(models.Path, "mnist", "model.json"), OpenVinoServer.OnOpenVino);
        var plugin = await OpenVinoWheel.PluginAsync();
        if (OpenVinoWheel.IsIntel)
        {
            output.WriteLine("an Intel processor: the plugin serves");
            await using var server = await ServerProcess.StartAsync("--models", models.Path, "--openvino", plugin);
            using var client = new GrpcInferClient(server.GrpcTarget);
            Assert.Single(await client.InferAsync("mnist", [RawTensor.Fp32("Input3", [1, 1, 28, 28], new float[28 * 28])]));
            return;
        }

        output.WriteLine("no Intel processor: the plugin offers no device");
        var (code, text) = await ServerProcess.RunToEndAsync("--models", models.Path, "--openvino", plugin, "--http-port", "0", "--grpc-port", "0");

        Assert.Equal(1, code);
        Assert.Contains("is the plugin, which offers no device on this processor: it is for Intel's; the wheel onnxruntime-openvino 1.24.1 serves on every x86-64 processor", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FolderWithoutOpenVino_EndsWithOneSentence()
    {
        using var models = ModelFolder.Create();

        var (code, text) = await ServerProcess.RunToEndAsync("--models", models.Path, "--openvino", models.Path, "--http-port", "0", "--grpc-port", "0");

        Assert.Equal(1, code);
        var line = Assert.Single(text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: --openvino ", line, StringComparison.Ordinal);
        Assert.Contains("has neither", line, StringComparison.Ordinal);
    }

    /// <summary>Some are loaded only for the first graph: the start has to try one.</summary>
    [Theory]
    [InlineData("libtbb.so.12")]
    [InlineData("libonnxruntime_providers_shared.so")]
    [InlineData("libopenvino_onnx_frontend.so.2541")]
    public async Task Start_LibraryWithoutOneThatItNeeds_EndsWithOneSentence(string missing)
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        using var models = ModelFolder.Create();
        using var libraries = ModelFolder.Create();
        foreach (var library in Directory.EnumerateFiles(await OpenVinoWheel.BuiltInAsync(), "*", SearchOption.AllDirectories).Where(library => Path.GetFileName(library) != missing))
        {
            File.CreateSymbolicLink(Path.Combine(libraries.Path, Path.GetFileName(library)), library);
        }

        var (code, text) = await ServerProcess.RunToEndAsync("--models", models.Path, "--openvino", libraries.Path, "--http-port", "0", "--grpc-port", "0");

        Assert.Equal(1, code);
        var line = Assert.Single(text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: --openvino", line, StringComparison.Ordinal);
        Assert.Contains($"needs {missing}, which is not on this machine", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_SixtyFourModelsAtOnce_AllServe()
    {
        const int Count = 64;
        Requires.NoLack(OpenVinoWheel.Lack);
        using var models = ModelFolder.Create();
        for (var number = 0; number < Count; number++)
        {
            models.AddVersion($"m{number}", 1, Path.Combine(TestPaths.SharedModels!, "mnist.onnx"));
            await File.WriteAllTextAsync(Path.Combine(models.Path, $"m{number}", "model.json"), OpenVinoServer.OnOpenVino);
        }

        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--openvino", await OpenVinoWheel.BuiltInAsync());
        using var client = new GrpcInferClient(server.GrpcTarget);
        var image = RawTensor.Fp32("Input3", [1, 1, 28, 28], new float[28 * 28]);

        var answers = await Task.WhenAll(Enumerable.Range(0, Count).Select(number => client.InferAsync($"m{number}", [image])));

        Assert.All(answers, answer => Assert.Equal(answers[0][0].ToFloats(), answer[0].ToFloats()));
        Assert.Equal(Count, server.Output.Split("on OpenVino:").Length - 1);
    }

    [Fact]
    [Trait("Category", "Soak")]
    public async Task LoadAndUnload_FiftyTimes_GivesItsMemoryBack()
    {
        const int Times = 50;
        const int Settled = 5;
        Requires.NoLack(OpenVinoWheel.Lack);
        using var models = ModelFolder.Create();
        models.AddVersion("m", 1, Path.Combine(TestPaths.SharedModels!, "light_resnet50.onnx"));
        await File.WriteAllTextAsync(Path.Combine(models.Path, "m", "model.json"), OpenVinoServer.OnOpenVino);
        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--openvino", await OpenVinoWheel.BuiltInAsync());
        using var http = new HttpClient { BaseAddress = new Uri(server.HttpUrl) };
        var after = new List<double>();
        for (var time = 1; time <= Times; time++)
        {
            foreach (var what in new[] { "unload", "load" })
            {
                using var answer = await http.PostAsync(new Uri($"/v2/repository/models/m/{what}", UriKind.Relative), content: null);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            }

            if (time is Settled or Times)
            {
                // What the C library's heap has free goes back ten seconds after a load.
                await Task.Delay(TimeSpan.FromSeconds(12));
                after.Add(ProcessVitals.Of(server.Id).ResidentMiB);
            }
        }

        output.WriteLine($"MiB resident after {Settled} and {Times} loads: {string.Join(", ", after.Select(static one => $"{one:0}"))}");
        Assert.InRange(after[1], 0, after[0] * 1.1);
    }

    [Fact]
    public async Task Reload_UnderLoad_FailsNothing()
    {
        Requires.NoLack(OpenVinoWheel.Lack);
        using var models = ModelFolder.Create();
        var settings = Path.Combine(models.Path, "mnist", "model.json");
        models.AddVersion("mnist", 1, Path.Combine(TestPaths.SharedModels!, "mnist.onnx"));
        await File.WriteAllTextAsync(settings, OpenVinoServer.OnOpenVino);
        await using var server = await ServerProcess.StartAsync("--models", models.Path, "--openvino", await OpenVinoWheel.BuiltInAsync(), "--poll-seconds", "0.1");
        using var client = new GrpcInferClient(server.GrpcTarget);
        using var http = new HttpClient { BaseAddress = new Uri(server.HttpUrl) };
        using var ends = new CancellationTokenSource();
        var image = RawTensor.Fp32("Input3", [1, 1, 28, 28], new float[28 * 28]);
        var callers = Enumerable.Range(0, 4).Select(_ => AskAsync()).ToList();

        foreach (var (streams, provider) in new[] { (1, "openvino"), (2, "cpu"), (3, "openvino") })
        {
            await File.WriteAllTextAsync(settings + ".new", $$"""{"execution_provider": "{{provider}}", "concurrency": {{streams}}}""");
            File.Move(settings + ".new", settings, overwrite: true);
            using var answer = await http.PostAsync(new Uri("/v2/repository/models/mnist/load", UriKind.Relative), content: null);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        await ends.CancelAsync();
        var counts = await Task.WhenAll(callers).Soon();
        output.WriteLine($"{counts.Sum()} answers over three reloads");
        Assert.All(counts, static count => Assert.True(count > 0));
        Assert.Equal(4, server.Output.Split("Loaded mnist version 1").Length - 1);

        async Task<int> AskAsync()
        {
            var count = 0;
            for (; !ends.IsCancellationRequested; count++)
            {
                Assert.Single(await client.InferAsync("mnist", [image]));
            }

            return count;
        }
    }
}
