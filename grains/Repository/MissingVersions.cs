using System.Globalization;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>Versions that a model's policy names and its folder does not have.</summary>
internal static class MissingVersions
{
    private const int MaxShown = 5;

    /// <summary>Adds a warning if there are any; a model with a problem has that to tell.</summary>
    /// <returns>The model.</returns>
    public static ModelRegistration Warn(ModelRegistration model, List<string> warnings)
    {
        var missing = model.Problem is null && model.VersionPolicy.Kind == VersionPolicyKind.Specific
            ? model.VersionPolicy.Versions.Except(model.Versions.Select(static source => source.Version)).ToList()
            : [];
        if (missing.Count > 0)
        {
            var shown = string.Join(", ", missing.Take(MaxShown).Select(static version => version.ToString(CultureInfo.InvariantCulture)));
            var more = missing.Count > MaxShown ? $" and {missing.Count - MaxShown} more" : "";
            warnings.Add(missing.Count == 1
                ? $"model '{model.Name}': its version policy names version {shown}, which is not there"
                : $"model '{model.Name}': its version policy names versions {shown}{more}, which are not there");
        }

        return model;
    }
}
