using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Cluster.Contracts.Errors;

/// <summary>
/// Texts of ONNX Runtime and of the model repository as clients may see them. They are without error codes, conditions and places in C++ code, and paths of this machine. Every such text
/// passes here before it reaches a client; logs have it as it was.
/// </summary>
public static partial class ClientText
{
    private const string CodePrefix = "[ErrorCode:";

    /// <summary>All that names a function without a name.</summary>
    private const string Lambda = " operator() ";

    /// <summary>Follows the condition that did not hold; what comes behind it says so in words.</summary>
    private const string Enforced = " was false.";

    /// <summary>Terse texts of C++, and their meanings.</summary>
    private static readonly (string Found, string Meant)[] Meanings =
    [
        ("std::bad_alloc", "there is not enough memory"),
        ("locale::facet::_S_create_c_locale name not valid", "the silo's machine has no such locale"),
        ("Tensor shape.Size() must be >= 0", "a tensor would have a negative size"),
    ];

    private static readonly SearchValues<char> PathEnds = SearchValues.Create(" \t\r\n'\"`,;()[]{}<>");

    private static readonly string[] SourceEndings = [".cc:", ".cpp:", ".cxx:", ".c:", ".h:", ".hpp:", ".cu:", ".cuh:", ".inc:", ".inl:"];

    /// <summary>The text without the parts that clients must not see.</summary>
    public static string Of(string text)
    {
        if (text.StartsWith(CodePrefix, StringComparison.Ordinal) && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end)
        {
            text = text[(end + 1)..];
        }

        return WithoutPaths(WithMeanings(WithoutPlaces(RuntimeCode().Replace(text, "")))).Trim();
    }

    [GeneratedRegex(@"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")]
    private static partial Regex RuntimeCode();

    /// <summary>A function that reads a number out of a text, which is all that C++ says when it cannot.</summary>
    [GeneratedRegex(@"(?<=^|: )sto(?:i|l|ll|ul|ull|f|d|ld)(?=\s*$)")]
    private static partial Regex NumberParser();

    private static string WithMeanings(string text) =>
        Meanings.Aggregate(NumberParser().Replace(text, "a text that should be a number is none"), static (result, meaning) => result.Replace(meaning.Found, meaning.Meant, StringComparison.Ordinal));

    /// <summary>Leaves out "file.cc:123 type function(parameters) [with …]" and "file.cc:123 Function".</summary>
    private static string WithoutPlaces(string text)
    {
        for (var from = 0; FindPlace(text, from) is { } place; from = place.Start)
        {
            var rest = WithoutCondition(text.AsSpan(SkipFunction(text, place.End)));
            text = string.Concat(text.AsSpan(0, place.Start), rest.TrimStart());
        }

        return text;
    }

    /// <summary>Leaves out a condition of C++ at the beginning, which ends before the first sentence does.</summary>
    private static ReadOnlySpan<char> WithoutCondition(ReadOnlySpan<char> text)
    {
        var line = text.IndexOf('\n') is >= 0 and var length ? text[..length] : text;
        var end = line.IndexOf(Enforced);
        if (end < 0 || line[..end].Contains(". ", StringComparison.Ordinal))
        {
            return text;
        }

        var rest = text[(end + Enforced.Length)..];
        return rest.IsWhiteSpace() ? "a check of it failed" : rest;
    }

    /// <summary>The next file name with a line number.</summary>
    private static (int Start, int End)? FindPlace(string text, int from)
    {
        (int Start, int End)? first = null;
        foreach (var ending in SourceEndings)
        {
            var at = text.IndexOf(ending, from, StringComparison.Ordinal);
            var digits = at < 0 ? 0 : CountDigits(text.AsSpan(at + ending.Length));
            if (digits == 0 || at >= first?.End)
            {
                continue;
            }

            var start = text.LastIndexOfAny([' ', '\n', '\t', '(', '[', ':'], at) + 1;
            first = (start, at + ending.Length + digits);
        }

        return first;
    }

    private static int CountDigits(ReadOnlySpan<char> text)
    {
        var other = text.IndexOfAnyExceptInRange('0', '9');
        return other < 0 ? text.Length : other;
    }

    /// <summary>Where what names a function, from <paramref name="start"/> on, ends; the same if nothing does.</summary>
    private static int SkipFunction(string text, int start)
    {
        if (text.AsSpan(start).StartsWith(Lambda))
        {
            return start + Lambda.Length;
        }

        var end = SkipSignature(text, start);
        return end > start ? end : SkipName(text, start);
    }

    /// <summary>A name alone, as "ReadGraph" or "Compute". A capital inside it, or at the beginning of the sentence behind it, tells it from a word.</summary>
    private static int SkipName(string text, int start)
    {
        var from = start < text.Length && text[start] == ' ' ? start + 1 : start;
        var end = from;
        var hasInnerCapital = false;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
        {
            hasInnerCapital |= end > from && char.IsAsciiLetterUpper(text[end]) && char.IsAsciiLetterLower(text[end - 1]);
            end++;
        }

        var isName = hasInnerCapital || (end > from && end + 1 < text.Length && char.IsAsciiLetterUpper(text[end + 1]));
        return isName && end < text.Length && text[end] == ' ' ? end : start;
    }

    private static int SkipSignature(string text, int start)
    {
        var depth = 0;
        var hasParameters = false;
        for (var i = start; i < text.Length && text[i] != '\n'; i++)
        {
            switch (text[i])
            {
                case '(' when depth == 0 && !hasParameters && (text[i - 1] == ' ' || !text.AsSpan(start, i - start).Contains("::", StringComparison.Ordinal)):
                    return start;
                case '(' or '<' or '[' or '{':
                    depth++;
                    break;
                case ')' or '>' or ']' or '}':
                    depth = Math.Max(0, depth - 1);
                    hasParameters |= text[i] == ')' && depth == 0;
                    if (hasParameters && depth == 0 && !GoesOn(text, i + 1))
                    {
                        return SkipTail(text, i + 1);
                    }

                    break;
                default:
                    break;
            }
        }

        return start;
    }

    /// <summary>As after <c>operator()</c> and in front of a lambda's name.</summary>
    private static bool GoesOn(string text, int at) => at < text.Length && text[at] is '(' or ':' && !text.AsSpan(at).StartsWith(": ");

    private static int SkipTail(string text, int at)
    {
        foreach (var word in (ReadOnlySpan<string>)[" const", " noexcept"])
        {
            at += text.AsSpan(at).StartsWith(word) ? word.Length : 0;
        }

        if (!text.AsSpan(at).StartsWith(" [with "))
        {
            return at;
        }

        var depth = 0;
        for (var i = at; i < text.Length; i++)
        {
            depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
            if (depth == 0 && text[i] == ']')
            {
                return i + 1;
            }
        }

        return at;
    }

    /// <summary>Leaves of a path of this machine the last name. Names in graphs look like paths: a path is what begins with a folder that there is.</summary>
    private static string WithoutPaths(string text)
    {
        StringBuilder? shortened = null;
        var copied = 0;
        for (var i = text.IndexOf('/', StringComparison.Ordinal); i >= 0 && i < text.Length; i = text.IndexOf('/', i))
        {
            var end = i > 0 && IsOfName(text[i - 1]) ? i : EndOfPath(text, i);
            if (end <= i || !IsOfThisMachine(text.AsSpan(i, end - i)))
            {
                i = Math.Max(i + 1, end);
            }
            else
            {
                shortened ??= new StringBuilder(text.Length);
                shortened.Append(text, copied, i - copied);
                shortened.Append(Path.GetFileName(text.AsSpan(i, end - i).TrimEnd('/')));
                copied = i = end;
            }

            if (i >= text.Length)
            {
                break;
            }
        }

        return shortened is null ? text : shortened.Append(text, copied, text.Length - copied).ToString();
    }

    private static bool IsOfName(char c) => char.IsLetterOrDigit(c) || c is '.' or '_' or '-' or '/' or ':';

    /// <summary>In quotes a path may have spaces.</summary>
    private static int EndOfPath(string text, int start)
    {
        if (start > 0 && text[start - 1] is '\'' or '"' or '`' && text.IndexOf(text[start - 1], start) is > 0 and var close)
        {
            return close;
        }

        var length = text.AsSpan(start).IndexOfAny(PathEnds);
        var end = length < 0 ? text.Length : start + length;
        while (end > start + 1 && text[end - 1] is '.' or ':' or '!' or '?')
        {
            end--;
        }

        return end;
    }

    private static bool IsOfThisMachine(ReadOnlySpan<char> path)
    {
        var next = path[1..].IndexOf('/');
        return next > 0 && Path.Exists(path[..(next + 1)].ToString());
    }
}
