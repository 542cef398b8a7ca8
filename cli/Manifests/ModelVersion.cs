using System.Globalization;

namespace Cluster.Cli.Manifests;

/// <summary>A model, or one of its versions, as <c>digits/2</c>: no model's name has a slash.</summary>
internal readonly record struct ModelVersion(string Model, long? Version)
{
    /// <exception cref="CommandFailure">What follows the slash is no version.</exception>
    public static ModelVersion Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return new ModelVersion(text, null);
        }

        return long.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
            ? new ModelVersion(text[..slash], version)
            : throw CommandFailure.Usage($"'{text}' names no version after its slash, expected a number, at least 1");
    }

    public override string ToString() => Version is { } version ? string.Create(CultureInfo.InvariantCulture, $"{Model}/{version}") : Model;
}
