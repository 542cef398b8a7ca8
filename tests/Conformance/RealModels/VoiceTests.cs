using System.Globalization;
using Cluster.Tests.Common;
using Microsoft.ML.OnnxRuntime;
using Xunit;

namespace Cluster.Conformance.RealModels;

/// <summary>A recurrent model over a minute of speech: an error of one answer would be carried into every later one.</summary>
public sealed class VoiceTests(RealModelServer models, ITestOutputHelper output) : IClassFixture<RealModelServer>
{
    private const string Model = "silero_vad";
    private const int Window = 512;
    private const int Context = 64;
    private const int SampleRate = 16000;
    private const double Tolerance = 1e-4;

    private static readonly long[] StateShape = [2, 1, 128];

    [Fact]
    public async Task SileroVad_OverAMinuteOfSpeech_GivesWhatOnnxRuntimeGivesDirectly()
    {
        var samples = WavFile.Read(RealModelServer.PathOf("speech_16k.wav"));
        var expected = RunDirectly(samples);
        Assert.True(expected.Count > 1800);
        Assert.Contains(expected, probability => probability > 0.9);
        Assert.Contains(expected, probability => probability < 0.1);
        foreach (var (name, client) in models.Clients)
        {
            var actual = await RunAsync(client, samples);
            Assert.Equal(expected.Count, actual.Count);
            var difference = Differences.Absolute(expected, actual);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{name}: {actual.Count} windows, largest difference to ONNX Runtime called directly {difference:g3}"));
            Assert.InRange(difference, 0, Tolerance);
        }
    }

    private static async Task<List<float>> RunAsync(IInferClient client, float[] samples)
    {
        var probabilities = new List<float>();
        var state = RawTensor.Fp32("state", StateShape, new float[StateShape.Aggregate(1L, (product, dimension) => product * dimension)]);
        foreach (var window in Windows(samples))
        {
            var outputs = await client.InferAsync(Model, [RawTensor.Fp32("input", [1, window.Length], window), state, RawTensor.Int64("sr", [], SampleRate)]);
            probabilities.Add(Assert.Single(outputs.Single(tensor => tensor.Name == "output").ToFloats()));
            state = outputs.Single(tensor => tensor.Name == "stateN") with { Name = "state" };
        }

        return probabilities;
    }

    private static List<float> RunDirectly(float[] samples)
    {
        using var session = new InferenceSession(RealModelServer.PathOf(Model + ".onnx"));
        using var options = new RunOptions();
        var probabilities = new List<float>();
        var state = new float[StateShape.Aggregate(1L, (product, dimension) => product * dimension)];
        foreach (var window in Windows(samples))
        {
            using var input = OrtValue.CreateTensorValueFromMemory(window, [1, window.Length]);
            using var stateValue = OrtValue.CreateTensorValueFromMemory(state, StateShape);
            using var rate = OrtValue.CreateTensorValueFromMemory([(long)SampleRate], []);
            using var outputs = session.Run(options, ["input", "state", "sr"], [input, stateValue, rate], ["output", "stateN"]);
            probabilities.Add(outputs[0].GetTensorDataAsSpan<float>()[0]);
            state = outputs[1].GetTensorDataAsSpan<float>().ToArray();
        }

        return probabilities;
    }

    /// <summary>Each window with the last samples of the one before in front.</summary>
    private static IEnumerable<float[]> Windows(float[] samples)
    {
        var padded = new float[Context + samples.Length];
        samples.CopyTo(padded, Context);
        for (var start = 0; start + Window <= samples.Length; start += Window)
        {
            yield return padded[start..(start + Context + Window)];
        }
    }
}
