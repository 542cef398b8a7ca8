using System.Collections.Immutable;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Batching;
using Cluster.Tests.Common;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Requests that run together are answered as if each had run by itself.</summary>
public sealed class BatchRunnerTests : IClassFixture<OnnxBench>, IDisposable
{
    private readonly OnnxBench _bench;
    private readonly ModelFolder _folder = ModelFolder.Create();
    private readonly SessionRunner _runner = new(TimeProvider.System);
    private readonly List<RunTimes> _runs = [];
    private readonly List<int> _answered = [];
    private int _opened;

    public BatchRunnerTests(OnnxBench bench)
    {
        _bench = bench;
    }

    [Fact]
    public async Task Run_EqualShapesAndSeveralRows_AnswersEachAsByItself()
    {
        var model = await OpenAsync(OnnxFile.Sum(["n", "4"]), new BatchingSettings { MaxSize = 16 });
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(2, 4, 10), Request(3, 4, -5)];
        (requests[0].Id, requests[2].Id) = ("first", "third");

        var items = Run(model, requests);

        AssertAnswers(model, requests, items);
        Assert.Equal(6, Assert.Single(_runs).Rows);
        Assert.Equal([1, 2, 3], items.Select(static item => item.Times.Rows));
    }

    [Fact]
    public async Task Run_WrongOnes_AreToldAsByThemselvesAndHarmNoOther()
    {
        var model = await OpenAsync(OnnxFile.Sum(["n", "4"]), new BatchingSettings { MaxSize = 16 });
        var unknown = Request(1, 4, 1);
        unknown.Inputs[0].Name = "nosuch";
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(1, 5, 1), unknown, Request(0, 4, 1), Request(2, 4, 3)];

        var items = Run(model, requests);

        Assert.Equal(_bench.Reject(model, requests[1]), items[1].Reply!.Failure!.Message);
        Assert.Equal(_bench.Reject(model, requests[2]), items[2].Reply!.Failure!.Message);

        // Without rows there is nothing to join: it runs by itself.
        Assert.Null(items[3].Reply);
        AssertAnswers(model, [requests[0], requests[4]], [items[0], items[4]]);
        Assert.Equal(3, Assert.Single(_runs).Rows);
    }

    [Fact]
    public async Task Run_UnequalLengths_ThoseThatFitRunTogether()
    {
        var model = await OpenAsync(OnnxFile.Sum(["n", "s"]), new BatchingSettings { MaxSize = 16 });
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(1, 5, 2), Request(1, 4, 3), Request(1, 6, 4), Request(2, 5, 5)];

        var items = Run(model, requests);

        Assert.Null(items[3].Reply);
        AssertAnswers(model, [requests[0], requests[1], requests[2], requests[4]], [items[0], items[1], items[2], items[4]]);
        Assert.Equal([2, 3], _runs.Select(static run => run.Rows));
    }

    [Theory]
    [InlineData("s")]
    [InlineData("t")]
    public async Task Run_UnequalLengthsThatArePadded_RunTogetherAndAreCutBack(string outputDimension)
    {
        var padding = ImmutableSortedDictionary<string, PaddedDimension>.Empty.Add("x", new PaddedDimension(1, -7));

        // Where the graph has another name for the output's dimension, the settings name it.
        padding = outputDimension == "s" ? padding : padding.Add("y", new PaddedDimension(1, 0));
        var model = await OpenAsync(OnnxFile.Sum(["n", "s", "3"], ["n", outputDimension, "3"]), new BatchingSettings { MaxSize = 16, Padding = padding });
        ModelInferRequest[] requests = [Request([1, 2, 3], 1), Request([2, 7, 3], 2), Request([1, 1, 3], 3), Request([1, 7, 3], 4)];

        var items = Run(model, requests);

        AssertAnswers(model, requests, items);
        Assert.Equal(5, Assert.Single(_runs).Rows);
    }

    /// <summary>One long request must not make all others as long.</summary>
    [Fact]
    public async Task Run_OneMuchLongerThanTheOthers_IsNotJoinedWithThem()
    {
        var padding = ImmutableSortedDictionary<string, PaddedDimension>.Empty.Add("x", new PaddedDimension(1, 0));
        var model = await OpenAsync(OnnxFile.Sum(["n", "s"]), new BatchingSettings { MaxSize = 16, Padding = padding });
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(1, 5, 2), Request(1, 1000, 3), Request(1, 3, 4), Request(1, 900, 5)];

        var items = Run(model, requests);

        AssertAnswers(model, requests, items);
        Assert.Equal([3, 2], _runs.Select(static run => run.Rows));
    }

    /// <summary>Each output follows the input of its own name, whichever is the longest in the run.</summary>
    [Fact]
    public async Task Run_TwoPaddedInputs_OutputsAreCutBackToTheirOwn()
    {
        var padding = ImmutableSortedDictionary<string, PaddedDimension>.Empty.Add("x", new PaddedDimension(1, 0)).Add("z", new PaddedDimension(1, 0));
        var model = await OpenAsync(OnnxFile.TwoSums("s", "t"), new BatchingSettings { MaxSize = 16, Padding = padding });
        ModelInferRequest[] requests = [Two(10, 3), Two(5, 10), Two(7, 9)];

        var items = Run(model, requests);

        AssertAnswers(model, requests, items);
        Assert.Equal(3, Assert.Single(_runs).Rows);

        static ModelInferRequest Two(int x, int z) => OnnxBench.Raw(
            ("x", "FP32", [1, x], OnnxBench.Bytes([.. Enumerable.Range(0, x).Select(static i => i + 1f)])),
            ("z", "FP32", [1, z], OnnxBench.Bytes([.. Enumerable.Range(0, z).Select(static i => -i - 1f)])));
    }

    [Fact]
    public async Task Run_OutputThatIsCutFollowsNoInput_IsNotAnsweredAndNoBatchFollows()
    {
        var padding = ImmutableSortedDictionary<string, PaddedDimension>.Empty.Add("x", new PaddedDimension(1, 0)).Add("z", new PaddedDimension(1, 0)).Add("y", new PaddedDimension(1, 0));
        var model = await OpenAsync(OnnxFile.TwoSums("s", "t", "u"), new BatchingSettings { MaxSize = 16, Padding = padding });
        var request = OnnxBench.Raw(("x", "FP32", [1, 2], new byte[8]), ("z", "FP32", [1, 3], new byte[12]));

        Assert.All(Run(model, request, request), static item => Assert.Null(item.Reply));
        Assert.False(model.Batching.IsOn);
    }

    [Fact]
    public async Task Run_OutputHasOtherRows_NothingIsAnsweredWrongAndNoBatchFollows()
    {
        var model = await OpenAsync(OnnxFile.Doubling(["n", "4"], ["m", "4"]), new BatchingSettings { MaxSize = 16 });
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(1, 4, 2)];

        Assert.All(Run(model, requests), static item => Assert.Null(item.Reply));

        Assert.False(model.Batching.IsOn);
        Assert.Contains(_bench.Logged, static entry => entry.Message.Contains("output 'y' has shape [4,4] for inputs of 2 rows", StringComparison.Ordinal));
        Assert.All(Run(model, requests), static item => Assert.Null(item.Reply));
        Assert.Empty(_runs);
    }

    [Theory]
    [InlineData("1", "4", 2, "", "has shape [1,4]")]
    [InlineData("n", "4", 2, "x=1", "names dimension 1 of 'x', which is no dimension that requests choose")]
    [InlineData("n", "s", 2, "z=1", "names 'z', which is no input or output of the model")]
    [InlineData("n", "s", 2, "y=1", "names no input; the model's inputs are 'x'")]
    public async Task Open_BatchingThatTheGraphCannotDo_SaysWhy(string first, string second, int most, string padding, string expected)
    {
        var padded = ImmutableSortedDictionary<string, PaddedDimension>.Empty;
        if (padding.Length > 0)
        {
            padded = padded.Add(padding[..1], new PaddedDimension(padding[2] - '0', 0));
        }

        var exception = await Assert.ThrowsAsync<ServingException>(
            () => OpenAsync(OnnxFile.Sum([first, second]), new BatchingSettings { MaxSize = most, Padding = padded }));

        Assert.Equal(StatusCode.Unavailable, exception.Failure.Code);
        Assert.Contains(expected, exception.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SomeCallersHaveGivenUp_TheOthersAreAnswered()
    {
        var model = await OpenAsync(OnnxFile.Sum(["n", "4"]), new BatchingSettings { MaxSize = 16 });
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(2, 4, 10), Request(1, 4, 3)];

        var items = Run(_runner, model, requests, number => new CancellationToken(canceled: number == 1));

        Assert.Equal(StatusCode.Cancelled, items[1].Reply!.Failure!.Code);
        AssertAnswers(model, [requests[0], requests[2]], [items[0], items[2]]);
        Assert.Equal(2, Assert.Single(_runs).Rows);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public async Task Run_CallersGiveUpDuringIt_ItEndsWithTheLast(int givingUp, bool ends)
    {
        var model = await OpenAsync(OnnxFile.Sum(["n", "4"]), new BatchingSettings { MaxSize = 16 });
        using var giveUp = new CancellationTokenSource();

        // The second look at the clock is that between the inputs and the run.
        using var runner = new SessionRunner(new ActingClock(2, giveUp.Cancel));
        ModelInferRequest[] requests = [Request(1, 4, 1), Request(1, 4, 2)];

        var items = Run(runner, model, requests, number => number < givingUp ? giveUp.Token : CancellationToken.None);

        Assert.Equal(ends ? 0 : 1, _runs.Count);
        Assert.All(_answered, answered => Assert.Equal(requests.Length - givingUp, answered));
        Assert.All(items.Take(givingUp), static item => Assert.Equal(StatusCode.Cancelled, item.Reply!.Failure!.Code));
        Assert.All(items.Skip(givingUp), static item => Assert.True(item.Reply!.Succeeded));

        // The same runner, whose next callers have not given up.
        Assert.All(Run(runner, model, requests, static _ => CancellationToken.None), static item => Assert.True(item.Reply!.Succeeded));
    }

    [Fact]
    public async Task Priority_ThatTheModelDoesNotHave_IsRefusedByName()
    {
        var request = Request(1, 4, 1);
        request.Parameters["priority"] = new InferParameter { Int64Param = 4 };
        var without = await OpenAsync(OnnxFile.Sum(["n", "4"]), BatchingSettings.None);
        var with = await OpenAsync(OnnxFile.Sum(["n", "4"]), BatchingSettings.None, levels: 3);

        Assert.Equal(StatusCode.Unimplemented, _bench.Refuse(without, request).Code);
        Assert.Contains("has priorities from 1, the first to run, to 3", _bench.Reject(with, request), StringComparison.Ordinal);
        request.Parameters["priority"].Int64Param = 3;
        Assert.NotEmpty(_bench.Run(with, request).RawOutputContents);
        using var message = PayloadBuffer.CopyOf(request.ToByteArray());
        Assert.Equal(2, with.Read(message).Level);
    }

    public void Dispose()
    {
        _runner.Dispose();
        _folder.Dispose();
    }

    private Task<LoadedModel> OpenAsync(byte[] model, BatchingSettings batching, int levels = 0)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.Path, $"{_opened++}")).FullName, "model.onnx");
        File.WriteAllBytes(path, model);
        return _bench.OpenFileAsync("m", path, settings: new ModelSettings { Batching = batching, PriorityLevels = levels });
    }

    private List<BatchItem> Run(LoadedModel model, params IEnumerable<ModelInferRequest> requests) => Run(_runner, model, requests, static _ => CancellationToken.None);

    private List<BatchItem> Run(SessionRunner runner, LoadedModel model, IEnumerable<ModelInferRequest> requests, Func<int, CancellationToken> cancellationOf)
    {
        var items = requests.Select((request, number) => new BatchItem(PayloadBuffer.CopyOf(request.ToByteArray()), cancellationOf(number))).ToList();
        model.RunBatch(runner, items, alone: false, _bench.Metrics, run =>
        {
            _runs.Add(run.Times);
            _answered.Add(run.Requests);
        });
        items.ForEach(static item => item.Message.Dispose());
        return items;
    }

    private void AssertAnswers(LoadedModel model, ModelInferRequest[] requests, List<BatchItem> items)
    {
        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Null(items[i].Reply?.Failure);
            Assert.Equal(_bench.Run(model, requests[i]), ModelInferResponse.Parser.ParseFrom(items[i].Reply!.Message!.Span));
        }
    }

    private static ModelInferRequest Request(long rows, long columns, float start) => Request([rows, columns], start);

    private static ModelInferRequest Request(long[] shape, float start) => OnnxBench.Raw(("x", "FP32", shape, OnnxBench.Bytes(
        [.. Enumerable.Range(0, (int)shape.Aggregate(1L, static (product, size) => product * size)).Select(i => start + i)])));

    /// <summary>Does something at one of its readings, once.</summary>
    private sealed class ActingClock(int reading, Action act) : TimeProvider
    {
        private int _readings;

        public override long GetTimestamp()
        {
            if (++_readings == reading)
            {
                act();
            }

            return base.GetTimestamp();
        }
    }
}
