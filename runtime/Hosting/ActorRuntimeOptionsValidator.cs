using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Refuses settings that cannot work, all of them at once.</summary>
internal sealed class ActorRuntimeOptionsValidator : IValidateOptions<ActorRuntimeOptions>
{
    public ValidateOptionsResult Validate(string? name, ActorRuntimeOptions options)
    {
        var failures = new List<string>();
        if (string.IsNullOrWhiteSpace(options.ClusterId))
        {
            failures.Add($"{nameof(options.ClusterId)} must not be empty");
        }

        if (options.SiloName is { } siloName && string.IsNullOrWhiteSpace(siloName))
        {
            failures.Add($"{nameof(options.SiloName)} must be null or not empty");
        }

        RequirePositive(failures, nameof(options.ResponseTimeout), options.ResponseTimeout, orInfinite: true);
        RequirePositive(failures, nameof(options.HeartbeatInterval), options.HeartbeatInterval);
        RequirePositive(failures, nameof(options.CollectionAge), options.CollectionAge, orInfinite: true);
        RequirePositive(failures, nameof(options.CollectionQuantum), options.CollectionQuantum);
        RequirePositive(failures, nameof(options.DeactivationTimeout), options.DeactivationTimeout);
        RequireAtLeast(failures, nameof(options.CollectionQuantum), options.CollectionQuantum, options.HeartbeatInterval);
        RequireAtLeast(failures, nameof(options.ResponseTimeout), options.ResponseTimeout, options.HeartbeatInterval);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void RequirePositive(List<string> failures, string property, TimeSpan value, bool orInfinite = false)
    {
        if (value <= TimeSpan.Zero && !(orInfinite && value == Timeout.InfiniteTimeSpan))
        {
            failures.Add($"{property} is {value}; it must be positive{(orInfinite ? " or infinite (-1 ms)" : "")}");
        }
    }

    private static void RequireAtLeast(List<string> failures, string property, TimeSpan value, TimeSpan heartbeat)
    {
        if (value > TimeSpan.Zero && value < heartbeat)
        {
            failures.Add($"{property} is {value}; it must not be shorter than {nameof(ActorRuntimeOptions.HeartbeatInterval)}, {heartbeat}");
        }
    }
}
