using Cluster.Contracts.Models;

namespace Cluster.Contracts.Registry;

/// <summary>Where copies are, for people to read. Takes no lock and no network.</summary>
public interface ICopyLocations
{
    /// <summary>The silo that holds a copy; empty if that is not known.</summary>
    string LocationOf(ModelCopyId copy);
}
