using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Refuses settings that cannot work, all of them at once.</summary>
internal sealed class MessagingOptionsValidator : IValidateOptions<MessagingOptions>
{
    public ValidateOptionsResult Validate(string? name, MessagingOptions options)
    {
        var failures = new List<string>();
        RequirePositive(failures, nameof(options.ConnectTimeout), options.ConnectTimeout);
        RequirePositive(failures, nameof(options.KeepAliveInterval), options.KeepAliveInterval);
        RequirePositive(failures, nameof(options.MinBackOff), options.MinBackOff);
        RequirePositive(failures, nameof(options.DrainTimeout), options.DrainTimeout);
        if (options.KeepAliveTimeout <= options.KeepAliveInterval)
        {
            failures.Add($"{nameof(options.KeepAliveTimeout)} is {options.KeepAliveTimeout}; it must be longer than {nameof(options.KeepAliveInterval)}, {options.KeepAliveInterval}");
        }

        if (options.MaxBackOff < options.MinBackOff)
        {
            failures.Add($"{nameof(options.MaxBackOff)} is {options.MaxBackOff}; it must not be shorter than {nameof(options.MinBackOff)}, {options.MinBackOff}");
        }

        RequirePositive(failures, nameof(options.MaxQueuedBytes), options.MaxQueuedBytes);
        RequirePositive(failures, nameof(options.MaxMessageBytes), options.MaxMessageBytes);
        if (options.MaxHeldBytes < options.MaxMessageBytes)
        {
            failures.Add($"{nameof(options.MaxHeldBytes)} is {options.MaxHeldBytes}; it must not be less than {nameof(options.MaxMessageBytes)}, {options.MaxMessageBytes}");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void RequirePositive(List<string> failures, string property, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            failures.Add($"{property} is {value}; it must be positive");
        }
    }

    private static void RequirePositive(List<string> failures, string property, long value)
    {
        if (value <= 0)
        {
            failures.Add($"{property} is {value}; it must be positive");
        }
    }
}
