using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Tests.Common;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class SessionRunnerTests(OnnxBench bench) : IClassFixture<OnnxBench>
{
    public static TheoryData<string, ModelInferRequest> PredictableRequests => new()
    {
        { "identity_fp32", OnnxBench.Raw(("INPUT0", "FP32", [2, 3], OnnxBench.Bytes(1f, 2, 3, 4, 5, 6))) },
        { "identity_uint8", OnnxBench.Raw(("INPUT0", "UINT8", [1, 3], [1, 2, 3])) },
        { "identity_fp16", OnnxBench.Raw(("INPUT0", "FP16", [1, 3], [1, 2, 3, 4, 5, 6])) },
        { "identity_bf16", OnnxBench.Raw(("INPUT0", "BF16", [1, 3], [1, 2, 3, 4, 5, 6])) },
        { "identity_fp64", OnnxBench.Raw(("INPUT0", "FP64", [1, 1], OnnxBench.Bytes(Math.PI))) },
        { "identity_bool", OnnxBench.Raw(("INPUT0", "BOOL", [1, 3], [1, 0, 1])) },
        { "identity_fp32", OnnxBench.Raw(("INPUT0", "FP32", [0, 3], [])) },
        { "scalar_fp32", OnnxBench.Raw(("INPUT0", "FP32", [], OnnxBench.Bytes(4f))) },
        { "fixed_fp32", OnnxBench.Raw(("INPUT0", "FP32", [1, 16], new byte[64])) },
        { "add_sub_int32", OnnxBench.Raw(("INPUT0", "INT32", [3, 16], new byte[192]), ("INPUT1", "INT32", [3, 16], new byte[192])) },
        { "batchy", OnnxBench.Raw(("INPUT0", "FP32", [3, 4], OnnxBench.Bytes([.. Enumerable.Range(0, 12).Select(i => (float)i)]))) },
        { "nan_inf", OnnxBench.Raw(("INPUT0", "FP32", [3], OnnxBench.Bytes(1f, -1, 0))) },
    };

    [Theory]
    [MemberData(nameof(PredictableRequests))]
    public async Task Run_PredictedAndCopiedOutputs_GiveTheSameBytes(string name, ModelInferRequest request)
    {
        var model = await bench.OpenAsync(name);
        request.Id = "odd";
        var predicted = bench.RunBytes(model, request.ToByteArray());
        Assert.True(model.ShapesAreTruthful);

        model.DistrustShapes("for the test");
        var copied = bench.RunBytes(model, request.ToByteArray());

        Assert.Equal(ModelInferResponse.Parser.ParseFrom(copied), ModelInferResponse.Parser.ParseFrom(predicted));
        Assert.Equal(copied, predicted);
    }

    [Theory]
    [InlineData("many_outputs")]
    [InlineData("identity_fp64")]
    public async Task Run_MessageAnywhereInMemory_GivesTheSame(string name)
    {
        var model = await bench.OpenAsync(name);
        var request = name == "many_outputs"
            ? OnnxBench.Raw(("INPUT0", "FP32", [3], OnnxBench.Bytes(1f, 0, -2.5f)))
            : OnnxBench.Raw(("INPUT0", "FP64", [1, 3], OnnxBench.Bytes(1.0, 0, -2.5)));
        var expected = bench.RunBytes(model, request.ToByteArray());
        for (var padding = 1; padding < PayloadBuffer.TensorAlignment; padding++)
        {
            Assert.Equal(expected, bench.RunBytes(model, request.ToByteArray(), padding));
        }
    }

    [Fact]
    public async Task Run_SeveralOutputsOfOddSizes_AreEachInTheirPlace()
    {
        // Sizes that leave the outputs after the first at places that their elements are not aligned at.
        var model = await bench.OpenAsync("many_outputs");
        var request = OnnxBench.Raw(("INPUT0", "FP32", [3], OnnxBench.Bytes(1f, 0, -2.5f)));
        request.Outputs.Add(new[] { "as_bool", "as_fp64", "as_fp16", "as_int64" }.Select(output => OnnxBench.Output(output)));

        var answer = bench.Run(model, request);

        Assert.Equal(["as_bool", "as_fp64", "as_fp16", "as_int64"], answer.Outputs.Select(output => output.Name));
        Assert.Equal([1, 0, 1], answer.RawOutputContents[0].ToByteArray());
        Assert.Equal([1.0, 0, -2.5], OnnxBench.Values<double>(answer.RawOutputContents[1]));
        Assert.Equal([(Half)1, (Half)0, (Half)(-2.5)], OnnxBench.Values<Half>(answer.RawOutputContents[2]));
        Assert.Equal([1L, 0, -2], OnnxBench.Values<long>(answer.RawOutputContents[3]));
    }

    [Fact]
    public async Task Run_NoOutputsNamed_GivesAllInTheGraphsOrder()
    {
        var model = await bench.OpenAsync("many_outputs");

        var answer = bench.Run(model, OnnxBench.Raw(("INPUT0", "FP32", [1], OnnxBench.Bytes(7f))));

        Assert.Equal(["as_int64", "as_fp64", "as_bool", "as_fp16", "as_string", "as_fp32"], answer.Outputs.Select(output => output.Name));
        Assert.Equal(["7"], OnnxBench.Texts(answer.RawOutputContents[4]));
        Assert.Equal(("many_outputs", "1"), (answer.ModelName, answer.ModelVersion));
    }

    [Theory]
    [InlineData("as_bool", "as_bool", "output 'as_bool' already exists in request for model 'many_outputs'")]
    [InlineData(
        "as_bool",
        "none",
        "unexpected inference output 'none' for model 'many_outputs'; its outputs are as_int64, as_fp64, as_bool, as_fp16, as_string, as_fp32")]
    public async Task Run_WrongOutputs_AreRejected(string first, string second, string expected)
    {
        var model = await bench.OpenAsync("many_outputs");
        var request = OnnxBench.Raw(("INPUT0", "FP32", [1], OnnxBench.Bytes(7f)));
        request.Outputs.Add([OnnxBench.Output(first), OnnxBench.Output(second)]);

        Assert.Equal(expected, bench.Reject(model, request));
    }

    [Fact]
    public async Task Run_DataDependentShape_IsTheOneComputed()
    {
        var model = await bench.OpenAsync("nonzero");

        var some = bench.Run(model, OnnxBench.Raw(("INPUT0", "FP32", [4], OnnxBench.Bytes(0f, 1, 0, 2))));
        var none = bench.Run(model, OnnxBench.Raw(("INPUT0", "FP32", [2], OnnxBench.Bytes(0f, 0))));

        Assert.Equal([1L, 2], some.Outputs[0].Shape);
        Assert.Equal([1L, 3], OnnxBench.Values<long>(some.RawOutputContents[0]));
        Assert.Equal([1L, 0], none.Outputs[0].Shape);
        Assert.Empty(none.RawOutputContents[0]);
    }

    [Fact]
    public async Task Run_UndeclaredOutputShape_IsNotTakenForAScalar()
    {
        var model = await bench.OpenAsync("unknown_rank");
        Assert.Null(model.Signature.Outputs[0].Dimensions);
        Assert.Equal(-1, Assert.Single(model.Signature.Outputs[0].ToSpec().Shape));

        foreach (var shape in new long[][] { [2, 3], [6], [1, 1, 6], [3, 2] })
        {
            var answer = bench.Run(model, OnnxBench.Raw(
                ("INPUT0", "FP32", [6], OnnxBench.Bytes(1f, 2, 3, 4, 5, 6)), ("shape", "INT64", [shape.Length], OnnxBench.Bytes(shape))));

            Assert.Equal(shape, answer.Outputs[0].Shape);
        }

        Assert.True(model.ShapesAreTruthful);
        Assert.Equal(["OUTPUT0"], DeclaredShapes.FindUndeclared(File.ReadAllBytes(Path.Combine(TestPaths.TestModels, "unknown_rank", "1", "model.onnx"))));
    }

    public static TheoryData<string[], string[]?, bool> Declarations => new()
    {
        { ["n"], ["n"], false },
        { ["n"], ["3"], false },
        { ["n"], ["m"], true },
        { ["n"], null, true },
        { ["3"], ["6"], true },
    };

    [Theory]
    [MemberData(nameof(Declarations))]
    public async Task Run_DeclaredOutputShape_IsBelievedUntilItProvesWrong(string[] input, string[]? output, bool truthful)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("cluster-onnx-").FullName, "model.onnx");
        await File.WriteAllBytesAsync(path, OnnxFile.Doubling(input, output));
        var name = $"doubling_{Guid.NewGuid():N}";
        var model = await bench.OpenFileAsync(name, path);

        for (var run = 0; run < 2; run++)
        {
            var answer = bench.Run(model, OnnxBench.Raw(("x", "FP32", [3], OnnxBench.Bytes(1f, 2, 3))));

            Assert.Equal([6L], answer.Outputs[0].Shape);
            Assert.Equal([1f, 2, 3, 1, 2, 3], OnnxBench.Values<float>(answer.RawOutputContents[0]));
            Assert.Equal(truthful, model.ShapesAreTruthful);
        }

        Assert.Equal(truthful ? 0 : 1, bench.Logged.Count(entry => entry.Id == 2104 && entry.Message.Contains(name, StringComparison.Ordinal)));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task Run_ModelFails_IsInternalAndTheNextRunWorks()
    {
        var model = await bench.OpenAsync("fails_at_run");

        var failure = bench.Refuse(model, OnnxBench.Raw(("index", "INT64", [1], OnnxBench.Bytes(9L))));
        var answer = bench.Run(model, OnnxBench.Raw(("index", "INT64", [1], OnnxBench.Bytes(1L))));

        Assert.Equal(StatusCode.Internal, failure.Code);
        Assert.StartsWith("model 'fails_at_run' version 1 failed while running: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("idx=9", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("::", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\.(cc|h):\d", failure.Message);
        Assert.Equal([20f], OnnxBench.Values<float>(answer.RawOutputContents[0]));
    }

    [Fact]
    public async Task Run_ModelFailsManyTimes_IsLoggedOnce()
    {
        var model = await bench.OpenFileAsync("fails_often", Path.Combine(TestPaths.TestModels, "fails_at_run", "1", "model.onnx"));

        for (var i = 0; i < 20; i++)
        {
            bench.Refuse(model, OnnxBench.Raw(("index", "INT64", [1], OnnxBench.Bytes(9L + i))));
        }

        var line = Assert.Single(bench.Logged, static entry => entry.Message.StartsWith("fails_often version 1 failed while running", StringComparison.Ordinal));
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("idx=9", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CallerGivesUpDuringTheRun_StopsIt()
    {
        // Hours of work: only a stop ends it within the test's limit.
        var model = await bench.OpenAsync("slow");
        var request = OnnxBench.Raw(("iterations", "INT64", [1], OnnxBench.Bytes(100_000_000L)));
        using var giveUp = new CancellationTokenSource();
        var clock = new SignallingClock();
        using var runner = new SessionRunner(clock);

        var run = Task.Run(() =>
        {
            using var message = PayloadBuffer.CopyOf(request.ToByteArray());
            runner.Run(model, model.Session, message, bench.Metrics, out _, giveUp.Token);
        });
        await clock.Bound.Soon();
        giveUp.CancelAfter(TimeSpan.FromMilliseconds(50));

        var exception = await Assert.ThrowsAsync<ServingException>(() => run.Soon());
        Assert.Equal(StatusCode.Cancelled, exception.Failure.Code);

        // The same runner, whose next caller has not given up.
        using var next = PayloadBuffer.CopyOf(OnnxBench.Raw(("iterations", "INT64", [1], OnnxBench.Bytes(2L))).ToByteArray());
        using var answer = runner.Run(model, model.Session, next, bench.Metrics, out var times, CancellationToken.None);
        Assert.Equal(1f, OnnxBench.Values<float>(ModelInferResponse.Parser.ParseFrom(answer.Span).RawOutputContents[0])[0]);
        Assert.True(times.Infer > 0);
    }

    [Fact]
    public async Task EndRun_RunTakesLonger_AnswersThatAndTheNextOneRuns()
    {
        var model = await bench.OpenAsync("slow");
        using var runner = new SessionRunner(TimeProvider.System);
        var run = Task.Run(() =>
        {
            using var message = PayloadBuffer.CopyOf(OnnxBench.Raw(("iterations", "INT64", [1], OnnxBench.Bytes(100_000_000L))).ToByteArray());
            runner.Run(model, model.Session, message, bench.Metrics, out _, CancellationToken.None);
        });
        runner.EndRun(model, TimeSpan.FromHours(1), of: null);
        while (!run.IsCompleted)
        {
            runner.EndRun(model, TimeSpan.FromMilliseconds(1), of: null);
            await Task.Yield();
        }

        var failure = (await Assert.ThrowsAsync<ServingException>(() => run)).Failure;
        Assert.Equal(StatusCode.DeadlineExceeded, failure.Code);
        Assert.Matches(@"^the run of model 'slow' version 1 was ended after \d+(\.\d)? s: its silo lets no run of it take so long$", failure.Message);

        using var next = PayloadBuffer.CopyOf(OnnxBench.Raw(("iterations", "INT64", [1], OnnxBench.Bytes(2L))).ToByteArray());
        using var answer = runner.Run(model, model.Session, next, bench.Metrics, out _, CancellationToken.None);
        Assert.Equal(1f, OnnxBench.Values<float>(ModelInferResponse.Parser.ParseFrom(answer.Span).RawOutputContents[0])[0]);
    }

    [Fact]
    public async Task TryEnd_OfOneRequest_LeavesTheRunsOfOthers()
    {
        var model = await bench.OpenAsync("identity_fp32");
        var time = new ManualTimeProvider();
        using var run = new RunHandle(time);
        using var one = PayloadBuffer.CopyOf([1]);
        using var other = PayloadBuffer.CopyOf([1]);
        run.Begin(model, one);
        time.Advance(TimeSpan.FromSeconds(2));

        run.TryEnd(model, TimeSpan.FromSeconds(1), other);
        Assert.Equal((null, false), (run.EndedAfter, run.Options.Terminate));
        run.TryEnd(model, TimeSpan.FromSeconds(1), one);
        Assert.Equal((TimeSpan.FromSeconds(2), true), (run.EndedAfter, run.Options.Terminate));
        run.End();

        run.Begin(model, request: null);
        time.Advance(TimeSpan.FromSeconds(2));
        run.TryEnd(model, TimeSpan.FromSeconds(1), one);
        Assert.Null(run.EndedAfter);
    }

    [Theory]
    [InlineData("batchy", 3, 3)]
    [InlineData("fixed_fp32", 1, 1)]
    public async Task Run_Rows_AreTheFirstDimensionWhereItIsOpen(string name, long first, long rows)
    {
        var model = await bench.OpenAsync(name);
        var columns = name == "batchy" ? 4 : 16;
        using var runner = new SessionRunner(TimeProvider.System);
        using var message = PayloadBuffer.CopyOf(OnnxBench.Raw(("INPUT0", "FP32", [first, columns], new byte[first * columns * 4])).ToByteArray());

        using var answer = runner.Run(model, model.Session, message, bench.Metrics, out var times, CancellationToken.None);

        Assert.Equal(rows, times.Rows);
    }

    /// <summary>Tells when a run has bound its inputs: that is the second time it looks at the clock.</summary>
    private sealed class SignallingClock : TimeProvider
    {
        private readonly TaskCompletionSource _bound = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _looks;

        public Task Bound => _bound.Task;

        public override long GetTimestamp()
        {
            if (Interlocked.Increment(ref _looks) == 2)
            {
                _bound.TrySetResult();
            }

            return base.GetTimestamp();
        }
    }
}
