using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Rest;

/// <summary>A row of the repository extension's index; what is empty is left out, so that a model never loaded has only its name.</summary>
internal sealed record IndexRow(string Name, string? Version, string? State, string? Reason)
{
    public static IEnumerable<IndexRow> Of(RepositoryIndexResponse index) =>
        index.Models.Select(row => new IndexRow(row.Name, NullIfEmpty(row.Version), NullIfEmpty(row.State), NullIfEmpty(row.Reason)));

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}

/// <summary>KServe's list of models.</summary>
internal sealed record NamesAnswer(IEnumerable<string> Models)
{
    public static NamesAnswer Of(RepositoryIndexResponse index) => new(index.Models.Select(row => row.Name).Distinct(StringComparer.Ordinal));
}

/// <summary>A model in OVMS's config status.</summary>
internal sealed record ConfigStatus(IEnumerable<VersionStatus> ModelVersionStatus)
{
    /// <summary>By the models' names.</summary>
    public static Dictionary<string, ConfigStatus> Of(RepositoryIndexResponse index) => index.Models
        .GroupBy(row => row.Name, StringComparer.Ordinal)
        .ToDictionary(model => model.Key, model => new ConfigStatus(model.Where(row => row.Version.Length > 0).Select(VersionStatus.Of)));
}

internal sealed record VersionStatus(string Version, string State, ErrorStatus Status)
{
    public static VersionStatus Of(RepositoryIndexResponse.Types.ModelIndex row)
    {
        var state = row.State switch
        {
            "READY" => "AVAILABLE",
            "LOADING" or "UNLOADING" => row.State,
            _ => "END",
        };
        var failed = state == "END" && !ServingReasons.IsIntended(row.Reason);
        return new VersionStatus(row.Version, state, new ErrorStatus(failed ? "UNKNOWN" : "OK", row.Reason.Length > 0 ? row.Reason : "OK"));
    }
}

internal sealed record ErrorStatus(string ErrorCode, string ErrorMessage);

/// <summary>That a model was loaded, or unloaded.</summary>
internal sealed record DoneAnswer(string Name, bool? Load = null, bool? Unload = null);

/// <summary>What a model's replica bounds were set to; a bound that is left out is as the model's settings say.</summary>
internal sealed record ScaleAnswer(string Name, int? MinCopies, int? MaxCopies);
