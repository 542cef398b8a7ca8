using System.Text;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Tensors;

/// <summary>How pictures become tensors.</summary>
/// <param name="IsWhole">Whether the whole picture is taken where the input is a digit's.</param>
/// <param name="IsUnit">Whether values are 0 to 1 in place of 0 to 255.</param>
internal sealed record PictureOptions(bool IsWhole, bool IsUnit);

/// <summary>Reads inputs from files: by their end <c>.npy</c>, a picture, or JSON.</summary>
internal sealed class InputFiles(PictureOptions pictures, Stream standardInput)
{
    public const string StandardInput = "-";

    private static readonly string[] PictureEnds = [".png", ".jpg", ".jpeg", ".bmp", ".gif"];

    /// <summary>It can be read once.</summary>
    private JsonNode? _standardInput;

    public static bool IsPicture(string file) => PictureEnds.Contains(Path.GetExtension(file).ToLowerInvariant());

    /// <summary>A whole request, or null for a file that is one input.</summary>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public async Task<JsonNode?> ReadJsonAsync(string file, CancellationToken cancellationToken)
    {
        if (file != StandardInput)
        {
            return IsPicture(file) || IsNpy(file) ? null : DocumentFile.Read(file);
        }

        if (_standardInput is null)
        {
            using var reader = new StreamReader(standardInput, Encoding.UTF8, leaveOpen: true);
            _standardInput = DocumentFile.Parse(await reader.ReadToEndAsync(cancellationToken), "the standard input");
        }

        return _standardInput;
    }

    /// <exception cref="CommandFailure">It cannot be read, or is not what the input takes.</exception>
    public async Task<InputTensor> ReadAsync(ModelInputSpec input, string file, CancellationToken cancellationToken)
    {
        if (IsNpy(file))
        {
            return NpyFile.Read(input.Name, DocumentFile.Bytes(file), file);
        }

        if (IsPicture(file))
        {
            return ReadPicture(input, file);
        }

        return await ReadJsonAsync(file, cancellationToken) is JsonArray data
            ? input.Take(data, file)
            : throw CommandFailure.Usage($"{file} is no array of values for input '{input.Name}', expected [1, 2, …], nested or flat");
    }

    private static bool IsNpy(string file) => Path.GetExtension(file).Equals(".npy", StringComparison.OrdinalIgnoreCase);

    private InputTensor ReadPicture(ModelInputSpec input, string file)
    {
        var target = PictureInput.Of(input)
            ?? throw CommandFailure.Usage($"input '{input.Name}' is no picture: {input.Datatype} [{string.Join(", ", input.Shape)}], expected three or four dimensions with 1 or 3 channels");
        var picture = Picture.Decode(DocumentFile.Bytes(file), file);
        var fitted = target.IsDigit && !pictures.IsWhole ? picture.Centred(target.Width, target.Height) : picture.Resized(target.Width, target.Height);
        return fitted is null ? throw CommandFailure.Usage($"{file} shows nothing: all of it is of one brightness") : target.Take(fitted, pictures.IsUnit ? byte.MaxValue : 1);
    }
}
