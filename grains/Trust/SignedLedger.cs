using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Grains.Repository.Files;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Trust;

/// <summary>
/// Keeps the signing time of the newest manifest of each model version that this silo loaded, in a file of its own. A version that was signed earlier is older content,
/// and is refused. The file has a JSON object a line, appended and flushed before the load goes on. Of a version the newest line counts. Safe from any thread.
/// </summary>
/// <param name="path">Null: nothing is kept, and nothing refused.</param>
internal sealed class SignedLedger(string? path, ILogger logger)
{
    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Strict) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Lock _lock = new();
    private Dictionary<(string Model, long Version), DateTimeOffset>? _signed;

    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: one that was signed later has been loaded, or the file cannot be read.</exception>
    public void Check(Manifest manifest)
    {
        if (path is null)
        {
            return;
        }

        lock (_lock)
        {
            if (Read().TryGetValue((manifest.Model, manifest.Version), out var newest) && manifest.SignedAt < newest)
            {
                throw Older(manifest, newest);
            }
        }
    }

    /// <summary>Puts down a version that is about to be loaded.</summary>
    /// <exception cref="Contracts.Errors.ServingException">UNAVAILABLE: the file cannot be written, or a newer manifest was put down since <see cref="Check"/>.</exception>
    public void Accept(Manifest manifest)
    {
        if (path is null)
        {
            return;
        }

        lock (_lock)
        {
            var signed = Read();
            var key = (manifest.Model, manifest.Version);
            if (signed.TryGetValue(key, out var newest) && newest >= manifest.SignedAt)
            {
                if (newest > manifest.SignedAt)
                {
                    throw Older(manifest, newest);
                }

                return;
            }

            Append(new Line(manifest.Model, manifest.Version, Text(manifest.SignedAt)));
            signed[key] = manifest.SignedAt;
        }
    }

    private static Contracts.Errors.ServingException Older(Manifest manifest, DateTimeOffset newest) =>
        Refusal.Of($"{Manifest.FileName} was signed at {Text(manifest.SignedAt)}, and one that was signed at {Text(newest)} has been loaded: an older one is not taken");

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture);

    private Dictionary<(string Model, long Version), DateTimeOffset> Read()
    {
        try
        {
            return _signed ??= File.Exists(path) ? Parse(File.ReadAllText(path!)) : [];
        }
        catch (Exception exception) when (IoReason.IsFileError(exception) || exception is JsonException or FormatException)
        {
            Log.LedgerFailed(logger, path!, exception.Message);
            throw Refusal.Of("the file of what this silo has loaded cannot be read, as Models:SignedLedger wants; its log says why", exception);
        }
    }

    private static Dictionary<(string Model, long Version), DateTimeOffset> Parse(string text)
    {
        var signed = new Dictionary<(string, long), DateTimeOffset>();

        // What follows the last line's end was being written when the silo was killed: its load never went on.
        foreach (var json in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var line = JsonSerializer.Deserialize<Line>(json, Form) ?? throw new FormatException("a line is null");
            var time = DateTimeOffset.ParseExact(line.SignedAt, TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            var key = (line.Model, line.Version);
            signed[key] = signed.TryGetValue(key, out var newest) && newest > time ? newest : time;
        }

        return signed;
    }

    private void Append(Line line)
    {
        try
        {
            using var file = new FileStream(path!, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            file.SetLength(WholeLength(file));
            file.Seek(0, SeekOrigin.End);
            file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, Form) + "\n"));
            file.Flush(flushToDisk: true);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            Log.LedgerFailed(logger, path!, exception.Message);
            throw Refusal.Of("the file of what this silo has loaded cannot be written, as Models:SignedLedger wants; its log says why", exception);
        }
    }

    /// <summary>The length without a last line that has no end.</summary>
    private static long WholeLength(FileStream file)
    {
        for (var length = file.Length; length > 0; length--)
        {
            file.Position = length - 1;
            if (file.ReadByte() == '\n')
            {
                return length;
            }
        }

        return 0;
    }

    private sealed record Line(string Model, long Version, string SignedAt);
}
