using Cluster.Contracts.Logging;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Serving;

/// <summary>Exceptions of requests that were answered before, when their time was over: the log alone tells of them.</summary>
internal sealed class LateFailures(TimeProvider time, ILogger<LateFailures> logger)
{
    private readonly CauseLimiter _causes = new(time);

    /// <param name="model">Of the request.</param>
    public void Note(string model, Exception exception)
    {
        if (_causes.TryPass($"{model} {exception.GetType().Name}", out var heldBack))
        {
            Log.FailedLate(logger, exception, model, heldBack);
        }
    }
}

