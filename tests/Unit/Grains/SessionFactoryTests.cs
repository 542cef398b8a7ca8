using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Sessions;
using Cluster.Grains.Trust;
using Cluster.Tests.Common;
using Cluster.Unit.Trust;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class SessionFactoryTests(OnnxBench bench) : IClassFixture<OnnxBench>
{
    [Theory]
    [InlineData("broken", "protobuf")]
    [InlineData("empty", "")]
    [InlineData("sequence_output", "output 'OUTPUT0' is a ONNX_TYPE_SEQUENCE; only tensors can be served")]
    [InlineData("there_is_none", "cannot be read: not found")]
    public async Task Open_FileThatIsNoServableModel_SaysWhy(string model, string expected)
    {
        var failure = await bench.FailToOpenAsync(model);

        Assert.Equal(StatusCode.Unavailable, failure.Code);
        Assert.Equal(TimeSpan.FromSeconds(10), failure.RetryAfter);
        Assert.NotEmpty(failure.Message);
        Assert.Contains(expected, failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(17, true, "input 'x' has elements of type FLOAT8E4M3FN, which KServe v2 has no datatype for")]
    [InlineData(19, true, "input 'x' has elements of type FLOAT8E5M2, which KServe v2 has no datatype for")]
    [InlineData(OnnxBytes.Float, false, "the model has no outputs; a request would have no answer")]
    public async Task Open_TensorsThatCannotBeServed_SaysWhich(ulong type, bool hasOutput, string expected)
    {
        using var folder = ModelFolder.Create();
        var path = Path.Combine(folder.Path, "model.onnx");
        await File.WriteAllBytesAsync(path, OnnxBytes.Identity(type, hasOutput));

        var exception = await Assert.ThrowsAsync<ServingException>(() => bench.OpenFileAsync("m", path));

        Assert.Equal((StatusCode.Unavailable, expected), (exception.Failure.Code, exception.Failure.Message));
    }

    /// <summary>Each way in which ONNX Runtime refuses a file, from the file's bytes to a kernel.</summary>
    [Theory]
    [InlineData("not protobuf")]
    [InlineData("external data")]
    [InlineData("version")]
    [InlineData("operator")]
    [InlineData("unreadable")]
    public async Task Open_FileThatDoesNotLoad_TellsNoPathAndNoPlaceInCode(string kind)
    {
        using var folder = ModelFolder.Create();
        var path = Path.Combine(folder.Path, "model.onnx");
        if (kind == "unreadable")
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            await File.WriteAllBytesAsync(path, kind == "not protobuf" ? [0x0F, 0x01, 0x02] : OnnxFile.Unloadable(kind));
        }

        var exception = await Assert.ThrowsAsync<ServingException>(() => bench.OpenFileAsync("m", path));

        var told = exception.Failure.Message;
        Assert.NotEmpty(told);
        Assert.DoesNotContain(folder.Path, told, StringComparison.Ordinal);
        Assert.DoesNotContain("::", told, StringComparison.Ordinal);
        Assert.DoesNotContain("ErrorCode", told, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\.(cc|h):\d", told);
        Assert.DoesNotContain("ValidateExternalData", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OpenVinoNotOnThisSilo_SaysSo()
    {
        var failure = await bench.FailToOpenAsync("add_one", new ModelSettings { ExecutionProvider = ExecutionProvider.OpenVino });

        Assert.Equal(StatusCode.Unavailable, failure.Code);
        Assert.Equal("this silo has no OpenVINO: it is started without --openvino", failure.Message);
    }

    [Fact]
    public async Task Open_AutoWithoutOpenVino_FallsBackWithAWarning()
    {
        var model = await bench.OpenAsync("add_one", settings: new ModelSettings { ExecutionProvider = ExecutionProvider.Auto });

        Assert.Equal(ExecutionProvider.Cpu, model.Provider);
        Assert.Equal("this silo has no OpenVINO: it is started without --openvino", model.Describe(VersionPolicy.All, ModelSettings.Default, queueLimit: 1).ProviderReason);
        Assert.Contains(
            bench.Logged,
            entry => entry is { Id.Id: 2103, Level: LogLevel.Warning } && entry.Message.StartsWith("Loaded add_one version 1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(PerformanceHint.Throughput, 0, 0, 8, 8, 1)]
    [InlineData(PerformanceHint.Throughput, 0, 3, 8, 2, 3)]
    [InlineData(PerformanceHint.Throughput, 0, 16, 8, 1, 16)]
    [InlineData(PerformanceHint.Throughput, 5, 0, 8, 5, 1)]
    [InlineData(PerformanceHint.Latency, 0, 0, 8, 1, 8)]
    [InlineData(PerformanceHint.Latency, 0, 4, 8, 2, 4)]
    [InlineData(PerformanceHint.Latency, 0, 16, 8, 1, 16)]
    [InlineData(PerformanceHint.Latency, 3, 0, 8, 3, 8)]
    [InlineData(PerformanceHint.Throughput, 7, 9, 8, 7, 9)]
    [InlineData(PerformanceHint.Latency, 0, 0, 1, 1, 1)]
    public void Derive_HintAndSettings_GivesConcurrencyAndThreads(
        PerformanceHint hint, int concurrency, int threads, int cores, int expectedConcurrency, int expectedThreads)
    {
        var settings = new ModelSettings { PerformanceHint = hint, Concurrency = concurrency, IntraOpThreads = threads };

        Assert.Equal((expectedConcurrency, expectedThreads), Parallelism.Derive(settings, cores));
    }

    [Fact]
    public async Task Open_GivenUpWhileItsFilesAreRead_EndsThere()
    {
        using var held = new HeldOpening();
        bench.Opens = held.Open;
        using var giveUp = new CancellationTokenSource();
        var loading = bench.OpenFileAsync("given_up", Path.Combine(TestPaths.TestModels, "add_one", "1", "model.onnx"), cancellationToken: giveUp.Token);
        await held.Begun.Soon();
        bench.Opens = CheckedFile.Open;

        await giveUp.CancelAsync();
        held.Release();

        var exception = await Assert.ThrowsAsync<OperationCanceledException>(() => loading.Soon());
        Assert.Equal(giveUp.Token, exception.CancellationToken);
    }

    [Fact]
    public async Task Open_GivenUpInTheMiddleOfALongLoad_EndsSoon()
    {
        // Seconds of work on the graph, of which the file is read first.
        using var folder = ModelFolder.Create();
        var path = Path.Combine(folder.Path, "model.onnx");
        await File.WriteAllBytesAsync(path, OnnxFile.Chain(20_000));
        using var held = new HeldOpening();
        bench.Opens = held.Open;
        using var giveUp = new CancellationTokenSource();
        var loading = bench.OpenFileAsync("given_up", path, cancellationToken: giveUp.Token);
        held.Release();
        await held.ClosedAsync();
        bench.Opens = CheckedFile.Open;

        await giveUp.CancelAsync();

        var exception = await Assert.ThrowsAsync<OperationCanceledException>(() => loading.Soon());
        Assert.IsType<OnnxRuntimeException>(exception.InnerException);
    }

    [Fact]
    public async Task Open_LabelFiles_AreFoundByOutput()
    {
        using var folder = ModelFolder.Create().Add(Path.Combine(TestPaths.TestModels, "classify"));
        var version = Path.Combine(folder.Path, "classify", "1");
        await File.WriteAllTextAsync(Path.Combine(version, "other.txt"), "one\ntwo\n");

        var besides = await bench.OpenFileAsync("classify", Path.Combine(version, "model.onnx"));
        var named = await bench.OpenFileAsync("classify", Path.Combine(version, "model.onnx"), settings: Labels("OUTPUT0", "other.txt"));

        Assert.Equal(10, besides.Labels("OUTPUT0").Length);
        Assert.Equal("bee", besides.Labels("OUTPUT0")[1]);
        Assert.Equal(["one", "two"], named.Labels("OUTPUT0"));
        Assert.Empty(named.Labels("INPUT0"));
    }

    [Theory]
    [InlineData("none", "labels.txt", "labels names 'none', which is no output of the model; its outputs are OUTPUT0")]
    [InlineData("OUTPUT0", "missing.txt", "labels of output 'OUTPUT0': there is no file 'missing.txt' in the version's folder")]
    [InlineData("OUTPUT0", "../1/labels.txt", "labels of output 'OUTPUT0': there is no file '../1/labels.txt' in the version's folder")]
    [InlineData("OUTPUT0", "/etc/hostname", "labels of output 'OUTPUT0': there is no file '/etc/hostname' in the version's folder")]
    [InlineData("OUTPUT0", "..", "labels of output 'OUTPUT0': there is no file '..' in the version's folder")]
    public async Task Open_LabelsThatAreNot_SaysWhich(string output, string file, string expected)
    {
        var failure = await bench.FailToOpenAsync("classify", Labels(output, file));

        Assert.Equal((StatusCode.Unavailable, expected), (failure.Code, failure.Message));
    }

    [Fact]
    public async Task Describe_LoadedModel_TellsWhatIsInForce()
    {
        var model = await bench.OpenAsync("add_sub_int32", settings: new ModelSettings { Concurrency = 3, IntraOpThreads = 2 });

        var description = model.Describe(VersionPolicy.All, ModelSettings.Default, queueLimit: 17);

        Assert.Equal(("add_sub_int32", 1L), (description.Name, description.Version));
        Assert.Equal((3, 2, 17), (description.Concurrency, description.IntraOpThreads, description.QueueLimit));
        Assert.Equal(["INPUT0", "INPUT1"], description.Inputs.Select(input => input.Name));
        Assert.Equal([-1L, 16], description.Inputs[0].Shape.ToArray());
        Assert.Equal(["OUTPUT0", "OUTPUT1"], description.Outputs.Select(output => output.Name));
        Assert.Equal("cluster-tests", description.Properties["producer"]);
        Assert.Equal("model.onnx", description.FileName);
    }

    [Fact]
    public async Task Open_OutputThatIsNoTensor_ServesTheTensorsAndNamesIt()
    {
        using var folder = ModelFolder.Create();
        var path = Path.Combine(folder.Path, "model.onnx");
        await File.WriteAllBytesAsync(path, OnnxFile.TensorAndSequence());
        var model = await bench.OpenFileAsync("mixed", path);
        var request = OnnxBench.Raw(("x", "FP32", [2], OnnxBench.Bytes(1f, 2)));

        var answer = bench.Run(model, request);
        request.Outputs.Add(OnnxBench.Output("all"));

        Assert.Equal(["sum"], answer.Outputs.Select(output => output.Name));
        Assert.Equal([2f, 4], OnnxBench.Values<float>(answer.RawOutputContents[0]));
        Assert.Equal("output 'all' of model 'mixed' cannot be served: it is a ONNX_TYPE_SEQUENCE; only tensors can be served; those that can are sum", bench.Reject(model, request));
        Assert.Equal(["all"], model.Describe(VersionPolicy.All, ModelSettings.Default, queueLimit: 1).Unserved.Keys);
        Assert.Contains(bench.Logged, static entry => entry.Id.Id == 2109 && entry.Message.Contains("'all' is a ONNX_TYPE_SEQUENCE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Open_MaxBatchSize_LimitsTheBatchAndIsDescribed()
    {
        var settings = new ModelSettings
        {
            MaxBatchSize = 2,
            BatchSize = new DimensionRange(1, 2),
            Format = ModelSettings.Default.Format,
        };
        var model = await bench.OpenAsync("add_sub_int32", settings: settings);

        var description = model.Describe(VersionPolicy.All, settings, queueLimit: 1);

        Assert.Equal(2, description.MaxBatchSize);
        var three = new byte[3 * 16 * sizeof(int)];
        Assert.Contains("[1:2,16]", bench.Reject(model, OnnxBench.Raw(("INPUT0", "INT32", [3, 16], three), ("INPUT1", "INT32", [3, 16], three))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scalar_fp32", 8, null, "max_batch_size needs a first dimension for the batch, but input 'INPUT0' has no dimension")]
    [InlineData("add_sub_int32", 0, "other", "format names 'other', which is no input of the model; its inputs are 'INPUT0', 'INPUT1'")]
    [InlineData("add_sub_int32", 0, "INPUT0", "format needs an input of 3 dimensions; with max_batch_size the batch is one more, but 'INPUT0' is [-1,16]")]
    public async Task Open_BatchOrFormatThatDoesNotFitTheGraph_SaysWhy(string name, int maxBatch, string? format, string expected)
    {
        var settings = new ModelSettings
        {
            MaxBatchSize = maxBatch,
            Format = format is null ? ModelSettings.Default.Format : ModelSettings.Default.Format.Add(format, ImageFormat.Nchw),
        };

        Assert.Equal(expected, (await bench.FailToOpenAsync(name, settings)).Message);
    }

    private static ModelSettings Labels(string output, string file) =>
        new() { Labels = ImmutableSortedDictionary<string, string>.Empty.Add(output, file) };

    /// <summary>A run of zeros takes memory for its output; a model without such a run has taken none.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Open_WarmUp_RunsTheGraphOnce(bool warmUp)
    {
        var model = await bench.OpenAsync("batchy", settings: new ModelSettings { WarmUp = warmUp });

        Assert.Equal(warmUp, model.RunMemory.Peak > 0);
    }

    [Fact]
    public async Task Open_GraphThatDoesNotTakeZeros_Loads()
    {
        using var folder = ModelFolder.Create();
        var path = Path.Combine(folder.Path, "model.onnx");

        // One column of the first, which may have any number, does not meet three rows of the second.
        await File.WriteAllBytesAsync(path, OnnxFile.Product());

        var model = await bench.OpenFileAsync("m", path);

        Assert.NotEmpty(bench.Run(model, OnnxBench.Raw(("x", "FP32", [2, 3], new byte[24]), ("z", "FP32", [3, 4], new byte[48]))).RawOutputContents);
    }
}
