using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Registry;

/// <summary>
/// A share of the models that clients registered, and of the references that aliases hold on models; the key is a shard of
/// <see cref="RegistryShards"/>. Each model goes to its own grain, which loads it at its first request.
/// </summary>
[Alias("registry")]
public interface IRegistryGrain : IGrainWithStringKey
{
    /// <summary>Registers a model; nothing happens if it is registered with the same info. <see cref="SettleAsync"/> follows.</summary>
    /// <param name="info">Where it asks for a load, <see cref="SettleAsync"/> waits for that too. Whether it succeeded, the serving state says.</param>
    /// <exception cref="ServingException">
    /// INVALID_ARGUMENT: a name, type, path or key that no model can have. ALREADY_EXISTS: registered with other info, or in the repository.
    /// FAILED_PRECONDITION: the server has no folder of registered models.
    /// </exception>
    [ResponseTimeout("00:10:00"), Alias("register")]
    ValueTask RegisterAsync(string model, RegisteredInfo info);

    /// <summary>Removes a registered model; nothing happens if there is none. Running requests are finished.</summary>
    /// <exception cref="ServingException">FAILED_PRECONDITION: an alias refers to it, or it is in the repository.</exception>
    [Alias("unregister")]
    ValueTask UnregisterAsync(string model);

    /// <summary>The entry of a model. Null if it is not registered and no alias refers to it.</summary>
    [AlwaysInterleave, Alias("find")]
    ValueTask<RegistryEntry?> FindAsync(string model);

    /// <summary>Everything in this shard, in no order.</summary>
    [AlwaysInterleave, Alias("list")]
    ValueTask<ImmutableArray<RegistryEntry>> ListAsync();

    /// <summary>As <see cref="ListAsync"/>, once every model here has been handed to its grain.</summary>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("restore")]
    ValueTask<ImmutableArray<RegistryEntry>> RestoreAsync(CancellationToken cancellationToken);

    /// <summary>Waits until the latest registration or removal of a model has reached the model's grain, so that gateways know of it.</summary>
    /// <exception cref="ServingException">ALREADY_EXISTS: the repository claimed the name a moment before.</exception>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("settle")]
    ValueTask SettleAsync(string model, CancellationToken cancellationToken);

    /// <summary>
    /// Loads a model that does not serve, a registered one from the present files of its path. A failed load is tried again.
    /// </summary>
    /// <exception cref="ServingException">NOT_FOUND: no such model. UNAVAILABLE: it does not load, with the cause.</exception>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("ensure-loaded")]
    ValueTask EnsureLoadedAsync(string model, CancellationToken cancellationToken);

    /// <summary>Has an alias refer to a model, which then stays. A second call changes nothing.</summary>
    /// <param name="info">If given, the model is registered with it, unless it is so already.</param>
    /// <param name="autoDelete">Whether a model that this call registers is removed with its last reference.</param>
    /// <exception cref="ServingException">NOT_FOUND: no such model and no info. Else as <see cref="RegisterAsync"/>.</exception>
    [ResponseTimeout("00:10:00"), Alias("acquire")]
    ValueTask AcquireAsync(string model, string alias, RegisteredInfo? info, bool autoDelete);

    /// <summary>Ends an alias's reference to a model; nothing happens if there is none.</summary>
    [Alias("release")]
    ValueTask ReleaseAsync(string model, string alias);
}

/// <summary>
/// Which <see cref="IRegistryGrain"/> knows a model. The registry is split so that a change writes a few models, not all of them. The split is
/// part of the stored form: another one finds no stored entry.
/// </summary>
public static class RegistryShards
{
    private const int Count = 64;

    /// <summary>The keys of all shards.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enumerable.Range(0, Count).Select(Key)];

    /// <summary>The key of the shard that knows <paramref name="model"/>: the same in every process.</summary>
    public static string Of(string model)
    {
        // FNV-1a.
        var hash = 2166136261u;
        foreach (var octet in Encoding.UTF8.GetBytes(model))
        {
            hash = (hash ^ octet) * 16777619u;
        }

        return All[(int)(hash % Count)];
    }

    private static string Key(int shard) => shard.ToString(CultureInfo.InvariantCulture);
}
