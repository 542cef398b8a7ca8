using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Models;

namespace Cluster.Contracts.Serving;

/// <summary>What a gateway must know of one model; replaced as a whole at each change.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Versions">Every version in the repository or still loaded, highest first.</param>
/// <param name="Problem">What is wrong with the model as a whole (its settings, its folder), or null.</param>
[GenerateSerializer, Immutable, Alias("model-serving-state")]
public sealed record ModelServingState(
    [property: Id(0)] string Name,
    [property: Id(1)] ImmutableArray<VersionServingState> Versions,
    [property: Id(2)] string? Problem)
{
    [Id(3)]
    public RegistrationOrigin Origin { get; init; }

    /// <summary>Set by an operator in place of those of the model's settings; null where none are.</summary>
    [Id(4)]
    public ReplicaBounds? Bounds { get; init; }

    /// <summary>Whether a version answers requests.</summary>
    [JsonIgnore]
    public bool Serves => Versions.Any(static version => version.State == ModelVersionState.Ready);

    /// <summary>Whether a load has come to its end: no version loads, waits for its first request, or is unloaded on request.</summary>
    [JsonIgnore]
    public bool IsSettled => !Versions.Any(static version =>
        version.State == ModelVersionState.Loading || version.Reason is ServingReasons.NotYetUsed or ServingReasons.Unloaded);
}

/// <summary>How many models answer.</summary>
public static class ReadyModels
{
    /// <summary>Whether at least <paramref name="least"/> models have a version that answers, if need be after loading it again.</summary>
    public static bool HasReady(this IServingStates states, int least) =>
        least == 0 || states.All.Where(static state => state.Serves).Take(least).Count() == least;
}
