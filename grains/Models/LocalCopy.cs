using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>A copy as its silo sees it.</summary>
internal sealed class LocalCopy(ModelCopyId id, string revision, string settingsRevision)
{
    private volatile CopyActivity? _activity;

    public ModelCopyId Id { get; } = id;

    public string Revision { get; } = revision;

    public string SettingsRevision { get; } = settingsRevision;

    /// <summary>What it does; null until it is loaded.</summary>
    public CopyActivity? Activity
    {
        get => _activity;
        set => _activity = value;
    }
}
