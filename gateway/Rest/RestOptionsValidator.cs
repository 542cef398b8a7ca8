using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest;

/// <summary>Names every option that is out of its range, with the range.</summary>
internal sealed class RestOptionsValidator : IValidateOptions<RestOptions>
{
    /// <summary>Room for the message's own fields beside its tensors, below what one array can hold.</summary>
    public const int MessageOverhead = 32 << 10;

    private const long LargestRequest = 0x7FFF_0000;

    /// <summary>What the HTTP server buffers of a request before it must have understood its headers.</summary>
    private const long HeaderBuffer = 1 << 20;

    public ValidateOptionsResult Validate(string? name, RestOptions options)
    {
        List<string> failures = [];
        Check(failures, nameof(options.MaxRequestBytes), options.MaxRequestBytes, 1, LargestRequest);
        Check(failures, nameof(options.MaxHeaderBytes), options.MaxHeaderBytes, 1024, HeaderBuffer);
        Check(failures, nameof(options.MaxHeaders), options.MaxHeaders, 1, int.MaxValue);
        Check(failures, nameof(options.MaxRequestLineBytes), options.MaxRequestLineBytes, 256, HeaderBuffer);
        Check(failures, nameof(options.HeadersTimeout), options.HeadersTimeout);
        Check(failures, nameof(options.KeepAliveTimeout), options.KeepAliveTimeout);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Check(List<string> failures, string option, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            failures.Add($"Rest:{option} is {value}; it must be {min} to {max}");
        }
    }

    private static void Check(List<string> failures, string option, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            failures.Add($"Rest:{option} is {value}; it must be positive");
        }
    }
}
