using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.RealModels;

/// <summary>Classifiers of digits see what was drawn.</summary>
public sealed class DigitTests(RealModelServer models, ITestOutputHelper output) : IClassFixture<RealModelServer>
{
    private const int Digits = 10;
    private const int Pixels = 28 * 28;

    [Fact]
    public async Task Mnist_OverRenderedDigits_RecognizesNineOfTen()
    {
        Requires.SharedModels();
        await ClassifyAsync("mnist", "Input3", atLeast: 9);
    }

    [Fact]
    public async Task DemoDigits_OverRenderedDigits_RecognizesAll() =>
        await ClassifyAsync("digits", "image", atLeast: Digits);

    private async Task ClassifyAsync(string model, string input, int atLeast)
    {
        var images = await File.ReadAllBytesAsync(Path.Combine(TestPaths.Root, "tests", "Conformance", "RealModels", "digits.u8"));
        Assert.Equal(Digits * Pixels, images.Length);
        foreach (var (name, client) in models.Clients)
        {
            var seen = new List<int>();
            for (var digit = 0; digit < Digits; digit++)
            {
                var pixels = images[(digit * Pixels)..((digit + 1) * Pixels)].Select(level => (float)level).ToArray();
                var outputs = await client.InferAsync(model, [RawTensor.Fp32(input, [1, 1, 28, 28], pixels)]);
                var scores = Assert.Single(outputs).ToFloats();
                seen.Add(Array.IndexOf(scores, scores.Max()));
            }

            output.WriteLine($"{model}, {name}: the digits 0 to 9 are seen as {string.Join(' ', seen)}");
            Assert.True(seen.Where((found, digit) => found == digit).Count() >= atLeast, string.Join(' ', seen));
        }
    }
}
