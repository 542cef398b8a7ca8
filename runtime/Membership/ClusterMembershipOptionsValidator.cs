using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Refuses settings that cannot work, all of them at once.</summary>
internal sealed class ClusterMembershipOptionsValidator : IValidateOptions<ClusterMembershipOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterMembershipOptions options)
    {
        var failures = new List<string>();
        (string Property, TimeSpan Value)[] spans =
        [
            (nameof(options.ProbeInterval), options.ProbeInterval),
            (nameof(options.ProbeTimeout), options.ProbeTimeout),
            (nameof(options.DeathVoteExpirationTimeout), options.DeathVoteExpirationTimeout),
            (nameof(options.IAmAliveTablePublishTimeout), options.IAmAliveTablePublishTimeout),
            (nameof(options.AliveExpiration), options.AliveExpiration),
            (nameof(options.TableRefreshTimeout), options.TableRefreshTimeout),
            (nameof(options.MaxJoinAttemptTime), options.MaxJoinAttemptTime),
            (nameof(options.DefunctSiloExpiration), options.DefunctSiloExpiration),
        ];
        failures.AddRange(spans
            .Where(static span => span.Value <= TimeSpan.Zero || span.Value > TimeSpan.FromDays(1))
            .Select(static span => $"{span.Property} is {span.Value}; it must be positive and at most a day"));
        (string Property, int Value)[] counts =
        [
            (nameof(options.NumMissedProbesLimit), options.NumMissedProbesLimit),
            (nameof(options.NumProbedSilos), options.NumProbedSilos),
            (nameof(options.NumVotesForDeathDeclaration), options.NumVotesForDeathDeclaration),
        ];
        failures.AddRange(counts
            .Where(static count => count.Value is < 1 or > 100)
            .Select(static count => $"{count.Property} is {count.Value}; it must be between 1 and 100"));
        if (options.NewTableSettleTime < TimeSpan.Zero)
        {
            failures.Add($"{nameof(options.NewTableSettleTime)} is {options.NewTableSettleTime}; it must not be negative");
        }

        if (options.AliveExpiration < 2 * options.IAmAliveTablePublishTimeout)
        {
            failures.Add($"{nameof(options.AliveExpiration)} is {options.AliveExpiration}; it must be at least twice "
                + $"{nameof(options.IAmAliveTablePublishTimeout)}, {options.IAmAliveTablePublishTimeout}");
        }

        if (options.DefunctSiloExpiration < options.DeathVoteExpirationTimeout)
        {
            failures.Add($"{nameof(options.DefunctSiloExpiration)} is {options.DefunctSiloExpiration}; it must not be shorter than "
                + $"{nameof(options.DeathVoteExpirationTimeout)}, {options.DeathVoteExpirationTimeout}");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
