using System.Text;

namespace Cluster.Grains.Objects;

/// <summary>A place in an object store: <c>s3://bucket/key</c>, or with no key the whole bucket. No slash at either end of the key.</summary>
internal sealed record ObjectAddress(string Bucket, string Key)
{
    public const string Scheme = "s3://";

    /// <summary>What is right, for messages.</summary>
    public const string Form = "s3://bucket/prefix, without '..', empty segments, backslashes and control characters";

    private const int MinBucket = 3;
    private const int MaxBucket = 63;

    /// <summary>What the keys of everything below it begin with.</summary>
    public string Prefix => Key.Length == 0 ? "" : Key + "/";

    /// <summary>Its last segment; empty for a bucket.</summary>
    public string Name => Key[(Key.LastIndexOf('/') + 1)..];

    /// <summary>The address one segment up; a bucket's is itself.</summary>
    public ObjectAddress Parent => this with { Key = Key[..Math.Max(0, Key.LastIndexOf('/'))] };

    public static bool IsAddress(string? text) => text is not null && text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <returns>Null if it is none of the <see cref="Form"/>; one slash at the end is left out.</returns>
    public static ObjectAddress? Parse(string text)
    {
        if (!IsAddress(text))
        {
            return null;
        }

        var rest = text.AsSpan(Scheme.Length);
        var slash = rest.IndexOf('/');
        var bucket = slash < 0 ? rest : rest[..slash];
        var key = slash < 0 ? "" : rest[(slash + 1)..].ToString();
        key = key.EndsWith('/') ? key[..^1] : key;
        return IsBucket(bucket) && (key.Length == 0 || ObjectKeys.ProblemOf(key) is null) ? new ObjectAddress(bucket.ToString(), key) : null;
    }

    /// <param name="relative">A path that <see cref="ObjectKeys.ProblemOf"/> has nothing against; empty for the address itself.</param>
    public ObjectAddress Below(string relative) => relative.Length == 0 ? this : this with { Key = Prefix + relative };

    /// <summary>Whether <paramref name="other"/> is it or lies below it.</summary>
    public bool Holds(ObjectAddress other) => Bucket == other.Bucket && (Key.Length == 0 || other.Key == Key || other.Key.StartsWith(Prefix, StringComparison.Ordinal));

    public override string ToString() => Key.Length == 0 ? Scheme + Bucket : $"{Scheme}{Bucket}/{Key}";

    /// <summary>Looser than Amazon's rule, as other stores have other rules.</summary>
    private static bool IsBucket(ReadOnlySpan<char> bucket)
    {
        if (bucket.Length is < MinBucket or > MaxBucket || !char.IsAsciiLetterOrDigit(bucket[0]) || bucket.Contains("..", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (var letter in bucket)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '-' or '_'))
            {
                return false;
            }
        }

        return true;
    }
}

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
