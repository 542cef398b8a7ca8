using System.Text;
using System.Text.Json;

namespace Cluster.Contracts.Errors;

/// <summary>Why a text is not JSON, in words of ours: .NET's own speak of its readers and their options, and count from 0.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Position">Bytes into the line, from 1.</param>
/// <param name="What">What is there.</param>
public readonly record struct JsonMistake(int Line, int Position, string What)
{
    private static ReadOnlySpan<byte> White => " \t\r\n"u8;

    /// <param name="json">All of what was read.</param>
    /// <param name="exception">The reader's.</param>
    /// <param name="maxDepth">Levels of nesting that it was to take.</param>
    public static JsonMistake Of(ReadOnlySpan<byte> json, JsonException exception, int maxDepth)
    {
        var (line, position) = ((int)(exception.LineNumber ?? 0), (int)(exception.BytePositionInLine ?? 0));
        var at = Math.Min(StartOf(json, line) + position, json.Length);
        var tooDeep = exception.Message.Contains("depth", StringComparison.Ordinal);
        return new JsonMistake(line + 1, position + 1, Early(json, at) ?? (tooDeep ? $"nested deeper than {maxDepth} levels" : Unexpected(json, at)));
    }

    public override string ToString() => FormattableString.Invariant($"line {Line}, position {Position}: {What}");

    private static int StartOf(ReadOnlySpan<byte> json, int line)
    {
        var start = 0;
        for (; line > 0 && json[start..].IndexOf((byte)'\n') is >= 0 and var length; line--)
        {
            start += length + 1;
        }

        return start;
    }

    /// <summary>Null where there is more.</summary>
    private static string? Early(ReadOnlySpan<byte> json, int at) =>
        !json[at..].Trim(White).IsEmpty ? null : json.Trim(White).IsEmpty ? "it is empty" : "it ends too early";

    private static string Unexpected(ReadOnlySpan<byte> json, int at)
    {
        _ = Rune.DecodeFromUtf8(json[at..], out var found, out _);
        var shown = Rune.IsControl(found) ? FormattableString.Invariant($"byte 0x{json[at]:X2}") : $"'{found}'";
        return $"unexpected {shown}{(json[at] is (byte)']' or (byte)'}' && json[..at].TrimEnd(White).EndsWith(","u8) ? " after ','" : "")}";
    }
}
