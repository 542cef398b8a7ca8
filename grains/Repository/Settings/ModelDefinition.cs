using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository.Settings;

/// <summary>How a model is to be served, apart from its files.</summary>
/// <param name="Policy">Which versions.</param>
/// <param name="Settings">How they are loaded and run.</param>
/// <param name="Revision">Fingerprint of both.</param>
/// <param name="CopyRevision">See <see cref="ModelRegistration.SettingsRevision"/>.</param>
/// <param name="Problem">Why the settings are not those that were asked for, or null.</param>
internal sealed record ModelDefinition(VersionPolicy Policy, ModelSettings Settings, string Revision, string CopyRevision, string? Problem)
{
    public static ModelDefinition Default { get; } = Of(VersionPolicy.LatestOne, ModelSettings.Default);

    public static ModelDefinition Of(VersionPolicy policy, ModelSettings settings, string? problem = null) =>
        new(policy, settings, SettingsRevision.Of(policy, settings), SettingsRevision.OfCopy(settings), problem);
}
