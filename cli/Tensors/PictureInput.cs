using System.Text.Json.Nodes;

namespace Cluster.Cli.Tensors;

/// <summary>
/// Where height, width and channels are in an input that looks like a picture. It has three or four dimensions, with 1 or 3 channels before or after height and width.
/// </summary>
internal sealed record PictureInput(ModelInputSpec Input, int Channels, int Height, int Width, bool ChannelsFirst)
{
    private static readonly string[] Fractions = ["FP16", "BF16", "FP32", "FP64"];

    private static readonly string[] Wholes = ["UINT8", "INT8", "INT16", "INT32", "INT64"];

    /// <summary>What a side has that the model leaves open.</summary>
    private const int OpenSide = 224;

    private const int SmallestSide = 5;

    /// <summary>Pictures up to this size, in one channel, are of a digit or a letter.</summary>
    private const int LargestDigit = 32;

    public bool IsDigit => Channels == 1 && Height <= LargestDigit && Width <= LargestDigit;

    /// <returns>Null where the input is no picture.</returns>
    public static PictureInput? Of(ModelInputSpec input)
    {
        if (input.Shape.Count is not (3 or 4) || !(Fractions.Contains(input.Datatype) || Wholes.Contains(input.Datatype)))
        {
            return null;
        }

        return input.Shape.TakeLast(3).ToArray() switch
        {
            [1 or 3, var height, var width] sizes when IsSide(height) && IsSide(width) => new PictureInput(input, (int)sizes[0], Side(height), Side(width), ChannelsFirst: true),
            [var height, var width, 1 or 3] sizes when IsSide(height) && IsSide(width) => new PictureInput(input, (int)sizes[2], Side(height), Side(width), ChannelsFirst: false),
            _ => null,
        };
    }

    /// <param name="divisor">What the values of 0 to 255 are divided by.</param>
    public InputTensor Take(Picture picture, double divisor)
    {
        var isWhole = Wholes.Contains(Input.Datatype);
        var values = new JsonArray();
        for (var i = 0; i < Channels * Height * Width; i++)
        {
            var (pixel, channel) = ChannelsFirst ? (i % (Height * Width), i / (Height * Width)) : (i / Channels, i % Channels);
            var value = (Channels == 1 ? picture.GreyAt(pixel) : picture.At(pixel, channel)) / divisor;
            values.Add(isWhole ? JsonValue.Create((int)Math.Round(value)) : JsonValue.Create(Math.Round(value, 4)));
        }

        long[] sizes = ChannelsFirst ? [Channels, Height, Width] : [Height, Width, Channels];
        return new InputTensor(Input.Name, Input.Datatype, Input.Shape.Count == 4 ? [1, .. sizes] : sizes, values, default);
    }

    private static bool IsSide(long size) => size is -1 or (>= SmallestSide and <= ushort.MaxValue);

    private static int Side(long size) => size < 0 ? OpenSide : (int)size;
}
