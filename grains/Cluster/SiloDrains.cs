using Cluster.Contracts.Errors;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Placement;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Cluster;

/// <summary>Drains that operators ask for: decided at one place, so that of two at once the second finds the first. For the controller's turns.</summary>
internal sealed class SiloDrains(IKnownSilos silos, IGrainFactory grains)
{
    /// <summary>Of a name in an error.</summary>
    private const int MaxName = 256;

    /// <summary>Silos with a drain from here, which their published state may not show yet.</summary>
    private readonly HashSet<string> _drained = new(StringComparer.Ordinal);

    /// <inheritdoc cref="IClusterGrain.DrainAsync"/>
    public async ValueTask<NodeDescription> AskAsync(string silo, bool drains)
    {
        var active = silos.All.Where(static node => node.Status == nameof(SiloStatus.Active)).ToList();
        var found = active.Where(node => node.Silo == silo).ToList() is { Count: 1 } exact ? exact : [.. active.Where(node => node.Name == silo)];
        if (found is not [var node])
        {
            throw new ServingException(found.Count == 0
                ? Failure.NotFound($"silo '{(silo.Length <= MaxName ? silo : silo[..MaxName] + "…")}' is not found among those that are active")
                : Failure.InvalidArgument($"{found.Count} active silos are called '{silo}', expected an address such as '{found[0].Silo}'"));
        }

        if (drains && !active.Exists(other => other.Silo != node.Silo && !other.Draining && !_drained.Contains(other.Silo)))
        {
            throw new ServingException(new Failure(
                StatusCode.FailedPrecondition, $"silo '{node.Silo}' is the only one that takes replicas; start another one before, or end the drain of one"));
        }

        // Before the silo is asked: of two that are drained at once the second one has to be refused.
        var before = Note(node.Silo, drains);
        try
        {
            await grains.GetGrain<ISiloDrainGrain>(node.Silo).AskAsync(drains);
        }
        catch
        {
            Note(node.Silo, before);
            throw;
        }

        return node with { Draining = drains };
    }

    /// <returns>What was noted before.</returns>
    private bool Note(string silo, bool drains) => drains ? !_drained.Add(silo) : _drained.Remove(silo);
}

/// <inheritdoc cref="ISiloDrainGrain"/>
[SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
internal sealed class SiloDrainGrain(AskedDrain drain) : Grain, ISiloDrainGrain
{
    /// <inheritdoc/>
    public ValueTask AskAsync(bool drains)
    {
        drain.Ask(drains);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Drains one silo; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-drain-grain")]
internal interface ISiloDrainGrain : IGrainWithStringKey
{
    /// <summary>Has the silo take nothing new and its replicas be elsewhere, or take replicas again. Returns once others are told; replicas move after that.</summary>
    [Alias("ask")]
    ValueTask AskAsync(bool drains);
}
