using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Cluster.Contracts.Models;

/// <summary>The key of an <see cref="IModelVersionGrain"/>: one copy of one version of a model, <c>name/version/copy</c>.</summary>
/// <param name="Model">The model's name; never contains a slash.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Copy">At least 0. New content of a version is loaded as another copy beside the one that serves.</param>
[GenerateSerializer, Immutable, Alias("model-copy-id")]
public readonly record struct ModelCopyId([property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] int Copy)
{
    /// <summary>Reads the form that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string key, [NotNullWhen(true)] out ModelCopyId id)
    {
        id = default;
        var parts = key.Split('/');
        if (parts is not [{ Length: > 0 } model, var versionText, var copyText]
            || !long.TryParse(versionText, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            || version < 1
            || !int.TryParse(copyText, NumberStyles.None, CultureInfo.InvariantCulture, out var copy))
        {
            return false;
        }

        id = new ModelCopyId(model, version, copy);
        if (id.ToString() != key)
        {
            // Another spelling of the same copy would be another grain.
            id = default;
            return false;
        }

        return true;
    }

    /// <summary>The grain key.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Model}/{Version}/{Copy}");
}
