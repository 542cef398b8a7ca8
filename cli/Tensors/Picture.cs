using StbImageSharp;

namespace Cluster.Cli.Tensors;

/// <summary>Pixels of red, green and blue, 0 to 255, row by row.</summary>
internal sealed class Picture(int width, int height, float[] values)
{
    private const int Channels = 3;
    private const int LargestSide = 8192;
    private const float Full = 255;

    /// <summary>As examples/render_digit.py: what is lighter than this is drawn.</summary>
    private const float Drawn = 64;

    /// <summary>Below this contrast a picture shows nothing.</summary>
    private const float LeastContrast = 8;

    /// <summary>A digit is 20 of 28 pixels high or wide.</summary>
    private const double DigitShare = 20.0 / 28;

    /// <exception cref="CommandFailure">It is no picture that can be read.</exception>
    public static Picture Decode(byte[] content, string file)
    {
        try
        {
            using var stream = new MemoryStream(content);
            if (ImageInfo.FromStream(stream) is not { Width: > 0 and <= LargestSide, Height: > 0 and <= LargestSide })
            {
                throw CommandFailure.Usage($"{file} is no picture, or one of more than {LargestSide} pixels a side; expected PNG, JPEG, BMP or GIF");
            }

            var image = ImageResult.FromMemory(content, ColorComponents.RedGreenBlueAlpha);
            return new Picture(image.Width, image.Height, OnWhite(image.Data));
        }
        catch (Exception exception) when (exception is InvalidOperationException or IndexOutOfRangeException or ArgumentException or NotSupportedException)
        {
            throw CommandFailure.Usage($"{file} is a damaged picture, or none; expected PNG, JPEG, BMP or GIF", exception);
        }
    }

    public float At(int pixel, int channel) => values[(pixel * Channels) + channel];

    public float GreyAt(int pixel) => (0.299f * At(pixel, 0)) + (0.587f * At(pixel, 1)) + (0.114f * At(pixel, 2));

    /// <summary>The whole picture in another size.</summary>
    public Picture Resized(int newWidth, int newHeight) => Resized(0, 0, width, height, newWidth, newHeight);

    /// <summary>As examples/render_digit.py: full contrast, white on black, what is drawn cut out, scaled, and put in the middle.</summary>
    /// <returns>Null where the picture shows nothing.</returns>
    public Picture? Centred(int newWidth, int newHeight)
    {
        var levels = Enumerable.Range(0, width * height).Select(GreyAt).ToArray();
        var (low, high) = (levels.Min(), levels.Max());
        if (high - low < LeastContrast)
        {
            return null;
        }

        var isLight = (levels[0] - low) / (high - low) > 0.5f;
        var (left, top, right, bottom) = (width, height, 0, 0);
        for (var i = 0; i < levels.Length; i++)
        {
            var stretched = Full * (levels[i] - low) / (high - low);
            levels[i] = isLight ? Full - stretched : stretched;
            if (levels[i] > Drawn)
            {
                (left, right) = (Math.Min(left, i % width), Math.Max(right, (i % width) + 1));
                (top, bottom) = (Math.Min(top, i / width), Math.Max(bottom, (i / width) + 1));
            }
        }

        var drawn = new Picture(width, height, [.. levels.SelectMany(static level => Enumerable.Repeat(level, Channels))]);
        var scale = DigitShare * Math.Min(newWidth, newHeight) / Math.Max(right - left, bottom - top);
        var (innerWidth, innerHeight) = (Math.Max(1, (int)Math.Round((right - left) * scale)), Math.Max(1, (int)Math.Round((bottom - top) * scale)));
        return drawn.Resized(left, top, right - left, bottom - top, innerWidth, innerHeight).Padded(newWidth, newHeight);
    }

    private static float[] OnWhite(byte[] colours)
    {
        var values = new float[colours.Length / 4 * Channels];
        for (var i = 0; i < values.Length; i++)
        {
            var at = (i / Channels * 4) + (i % Channels);
            var alpha = colours[(i / Channels * 4) + Channels] / Full;
            values[i] = (colours[at] * alpha) + (Full * (1 - alpha));
        }

        return values;
    }

    /// <summary>How much each pixel of a cut counts for each new one: a triangle as wide as the cut is larger.</summary>
    private static (int First, float[] Weights)[] Weights(int start, int length, int newLength)
    {
        var scale = (double)length / newLength;
        var reach = Math.Max(1, scale);
        return [.. Enumerable.Range(0, newLength).Select(index =>
        {
            var middle = ((index + 0.5) * scale) - 0.5;
            var first = Math.Max(0, (int)Math.Ceiling(middle - reach));
            var last = Math.Min(length - 1, (int)Math.Floor(middle + reach));
            var weights = Enumerable.Range(first, last - first + 1).Select(at => (float)Math.Max(0, 1 - (Math.Abs(at - middle) / reach))).ToArray();
            var sum = weights.Sum();
            return (start + first, weights.Select(weight => weight / sum).ToArray());
        })];
    }

    private Picture Resized(int left, int top, int cutWidth, int cutHeight, int newWidth, int newHeight)
    {
        var across = Weights(left, cutWidth, newWidth);
        var down = Weights(top, cutHeight, newHeight);
        var narrow = new float[newWidth * height * Channels];
        for (var i = 0; i < narrow.Length; i++)
        {
            var (channel, x, y) = (i % Channels, i / Channels % newWidth, i / Channels / newWidth);
            var (first, weights) = across[x];
            for (var k = 0; k < weights.Length; k++)
            {
                narrow[i] += weights[k] * At((y * width) + first + k, channel);
            }
        }

        var resized = new float[newWidth * newHeight * Channels];
        for (var i = 0; i < resized.Length; i++)
        {
            var (channel, x, y) = (i % Channels, i / Channels % newWidth, i / Channels / newWidth);
            var (first, weights) = down[y];
            for (var k = 0; k < weights.Length; k++)
            {
                resized[i] += weights[k] * narrow[((((first + k) * newWidth) + x) * Channels) + channel];
            }
        }

        return new Picture(newWidth, newHeight, resized);
    }

    private Picture Padded(int newWidth, int newHeight)
    {
        var padded = new float[newWidth * newHeight * Channels];
        var (left, top) = ((newWidth - width) / 2, (newHeight - height) / 2);
        for (var y = 0; y < height; y++)
        {
            Array.Copy(values, y * width * Channels, padded, (((y + top) * newWidth) + left) * Channels, width * Channels);
        }

        return new Picture(newWidth, newHeight, padded);
    }
}
