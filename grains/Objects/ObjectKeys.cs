using System.Text;

namespace Cluster.Grains.Objects;

/// <summary>Which keys may become paths of files. An object store takes any text as a key; a folder does not.</summary>
internal static class ObjectKeys
{
    /// <summary>As long as S3 allows, in bytes of UTF-8.</summary>
    private const int MaxKey = 1024;

    /// <summary>As long as file systems allow.</summary>
    private const int MaxSegment = 255;

    /// <summary>Why the key cannot be a relative path of a file; null if it can.</summary>
    public static string? ProblemOf(string key)
    {
        if (key.Length == 0 || Encoding.UTF8.GetByteCount(key) > MaxKey)
        {
            return $"is empty or longer than {MaxKey} bytes";
        }

        if (key.Any(static letter => char.IsControl(letter) || letter == '\\' || letter == '\uFFFD'))
        {
            return "has a control character, a backslash or an invalid character";
        }

        foreach (var segment in key.Split('/'))
        {
            if (segment is "" or "." or "..")
            {
                return segment.Length == 0 ? "begins or ends with a slash, or has two in a row" : $"has '{segment}' in it";
            }

            if (Encoding.UTF8.GetByteCount(segment) > MaxSegment)
            {
                return $"has a segment of more than {MaxSegment} bytes";
            }
        }

        return null;
    }

    /// <summary>A key out of a store, on one line.</summary>
    public static string Quote(string key) => Trust.Refusal.Quote(key);
}
