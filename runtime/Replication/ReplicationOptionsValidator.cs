using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Refuses settings that cannot work, all of them at once.</summary>
internal sealed class ReplicationOptionsValidator : IValidateOptions<ReplicationOptions>
{
    public ValidateOptionsResult Validate(string? name, ReplicationOptions options)
    {
        var failures = new List<string>();
        Require(failures, nameof(options.CatchUpInterval), options.CatchUpInterval, TimeSpan.FromHours(1));
        Require(failures, nameof(options.RetryInterval), options.RetryInterval, TimeSpan.FromMinutes(1));
        Require(failures, nameof(options.RemovalExpiration), options.RemovalExpiration, TimeSpan.FromDays(365));
        Require(failures, nameof(options.StartTimeout), options.StartTimeout, TimeSpan.FromHours(1));
        Require(failures, nameof(options.StopTimeout), options.StopTimeout, TimeSpan.FromHours(1));
        if (options.RemovalExpiration < 2 * options.CatchUpInterval)
        {
            failures.Add(
                $"{nameof(options.RemovalExpiration)} is {options.RemovalExpiration}; it must be at least twice {nameof(options.CatchUpInterval)}, {options.CatchUpInterval}");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Require(List<string> failures, string property, TimeSpan value, TimeSpan most)
    {
        if (value <= TimeSpan.Zero || value > most)
        {
            failures.Add($"{property} is {value}; it must be positive and at most {most}");
        }
    }
}
