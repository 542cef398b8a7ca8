using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Security.Policy;

/// <summary>What one client has asked of this gateway: its requests in flight, their bytes, and a token bucket for its rate. Thread-safe.</summary>
internal sealed class ClientUsage(string client, TimeProvider time)
{
    /// <summary>The retry hint where room comes with the end of other requests.</summary>
    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private double _tokens = double.MaxValue;
    private long _filled = time.GetTimestamp();
    private int _inFlight;
    private long _bytes;

    /// <summary>Requests that are not answered yet.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Takes a request in, which <see cref="Leave"/> lets out.</summary>
    /// <param name="refusal">RESOURCE_EXHAUSTED: which quota is used up, and when to ask again.</param>
    public bool TryEnter(ClientQuota quota, out Failure? refusal)
    {
        lock (_lock)
        {
            refusal = quota.InFlight > 0 && _inFlight >= quota.InFlight
                ? Failure.Exhausted($"client '{client}' has {_inFlight} requests in flight, as many as it may", SoonAgain)
                : TakeToken(quota);
            if (refusal is not null)
            {
                return false;
            }

            _inFlight++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _inFlight--;
        }
    }

    /// <summary>Holds the bytes of a request's body, which <see cref="Release"/> lets go.</summary>
    /// <param name="refusal">RESOURCE_EXHAUSTED; without a hint for a request that is beyond the quota alone.</param>
    public bool TryHold(ClientQuota quota, long bytes, out Failure? refusal)
    {
        var most = (long)quota.InFlightMiB << 20;
        lock (_lock)
        {
            refusal = most == 0 || _bytes + bytes <= most ? null
                : bytes > most ? new Failure(StatusCode.ResourceExhausted, $"the request of {bytes} bytes exceeds the {quota.InFlightMiB} MiB that client '{client}' may have in flight")
                : Failure.Exhausted($"client '{client}' has {_bytes} bytes in flight, and may have {quota.InFlightMiB} MiB", SoonAgain);
            _bytes += refusal is null ? bytes : 0;
            return refusal is null;
        }
    }

    public void Release(long bytes)
    {
        lock (_lock)
        {
            _bytes -= bytes;
        }
    }

    private Failure? TakeToken(ClientQuota quota)
    {
        if (quota.RequestsPerSecond <= 0)
        {
            return null;
        }

        var now = time.GetTimestamp();
        _tokens = Math.Min(quota.Burst, _tokens + (time.GetElapsedTime(_filled, now).TotalSeconds * quota.RequestsPerSecond));
        _filled = now;
        if (_tokens < 1)
        {
            var wait = TimeSpan.FromSeconds((1 - _tokens) / quota.RequestsPerSecond);
            return Failure.Exhausted(FormattableString.Invariant($"client '{client}' may send {quota.RequestsPerSecond:0.##} requests a second, and has"), wait);
        }

        _tokens--;
        return null;
    }
}
