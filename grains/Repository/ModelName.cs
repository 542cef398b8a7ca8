using System.Text.Json;

namespace Cluster.Grains.Repository;

/// <summary>Which names a model may have.</summary>
internal static class ModelName
{
    private const int MaxLength = 255;
    private const string EncodedSlash = "%2F";
    private const char NotUnicode = '\uFFFD';

    /// <summary>Why the name is refused, with the name in a form that is safe to print; null if it is fine.</summary>
    /// <param name="what">Whose name it is, for the message.</param>
    public static string? ProblemOf(string name, string what = "model")
    {
        var reason = name switch
        {
            "" => "is empty",
            { Length: > MaxLength } => $"is longer than {MaxLength} characters",
            ['.', ..] => "starts with '.'",
            _ when name.Any(char.IsControl) => "has a control character",
            _ when name.AsSpan().ContainsAny('/', '\\') => "has a slash",
            _ when name.Contains(EncodedSlash, StringComparison.OrdinalIgnoreCase) => $"has '{EncodedSlash}', which a URL cannot tell from a slash",
            _ when name.Contains(NotUnicode, StringComparison.Ordinal) => "is not valid Unicode",
            _ => null,
        };
        return reason is null ? null : $"the {what} name {JsonSerializer.Serialize(name.Length > MaxLength ? name[..MaxLength] : name)} {reason}";
    }
}
