using System.Net;
using System.Net.Sockets;
using Cluster.Contracts.Logging;
using Cluster.Metrics;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Hosting;

/// <summary>
/// Which addresses get no new connections for a while, because the web server closed some of theirs for floods. <see cref="LimitOptions.FloodsBeforeHold"/> floods within 10 s
/// hold an address back for 1 s. Then it gets one connection each quarter of a second, and one more flood is enough. Each hold is twice as long as the one before. An address that keeps
/// quiet for twice its last hold begins anew. Each port counts for itself: what floods gRPC may still ask for health over REST. Of IPv6 the first 64 bits count, as clients choose the others. Thread-safe.
/// </summary>
internal sealed class AddressHolds
{
    /// <summary>Above this those that kept quiet are forgotten, and new ones are not counted while there are as many.</summary>
    internal const int MaxAddresses = 10_000;

    private const int ClientsPart = 8;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    /// <summary>Between two connections of an address that was held: so that no many flood at once before the first of them is found out.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(0.25);

    private readonly LimitOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<IPNetwork> _exempt;
    private readonly ValueSeries _holds;
    private readonly ValueSeries _refusals;
    private readonly Lock _lock = new();
    private readonly Dictionary<(IPAddress Address, int Port), Conduct> _known = [];
    private readonly CauseLimiter _lines;
    private readonly long _start;
    private TimeSpan _swept;

    public AddressHolds(LimitOptions options, MetricRegistry registry, TimeProvider time, ILogger<AddressHolds> logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        (_lines, _start) = (new CauseLimiter(time), time.GetTimestamp());
        _exempt = [.. options.NeverHeld.Select(static text => LimitOptions.NetworkOf(text)!.Value)];
        _holds = registry.Counter("cluster_address_holds", "Times that an address was held back for floods.").Acquire();
        _refusals = registry.Counter("cluster_held_connections", "Connections that were refused because their address was held back.").Acquire();
    }

    /// <summary>For how long an address still gets no new connection to a port, which is refused now; zero where it gets one.</summary>
    public TimeSpan Refuse(IPAddress address, int port)
    {
        // Read without the lock: it is empty while no address floods.
        if (_known.Count == 0)
        {
            return TimeSpan.Zero;
        }

        lock (_lock)
        {
            var (key, now) = ((PartOf(address), port), Now());
            if (!_known.TryGetValue(key, out var conduct) || conduct.Hold == TimeSpan.Zero || IsForgotten(conduct, now))
            {
                return TimeSpan.Zero;
            }

            var rest = conduct.Next - now;
            if (rest <= TimeSpan.Zero)
            {
                _known[key] = conduct with { Next = now + Pace };
                return TimeSpan.Zero;
            }

            _refusals.Increment();
            return rest;
        }
    }

    /// <summary>A connection was closed for a flood.</summary>
    /// <param name="reason">The web server's word for it.</param>
    public void Flooded(IPAddress address, int port, string reason)
    {
        if (_options.FloodsBeforeHold == 0 || IsExempt(address))
        {
            return;
        }

        var part = PartOf(address);
        TimeSpan hold;
        lock (_lock)
        {
            hold = CountLocked((part, port));
        }

        if (hold > TimeSpan.Zero)
        {
            _holds.Increment();
            if (_lines.TryPass($"{part}", out var heldBack))
            {
                Log.AddressHeld(_logger, part, port, hold.TotalSeconds, reason, heldBack);
            }
        }
    }

    /// <summary>Since this was made: a clock that is set changes no hold.</summary>
    private TimeSpan Now() => _time.GetElapsedTime(_start);

    /// <returns>How long the address is held back from now; zero where it is not, or was already.</returns>
    private TimeSpan CountLocked((IPAddress Address, int Port) key)
    {
        var now = Now();
        if (!_known.TryGetValue(key, out var conduct) || IsForgotten(conduct, now))
        {
            if (!HasPlaceLocked(key, now))
            {
                return TimeSpan.Zero;
            }

            conduct = new Conduct(now, 0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        }

        // What was open when the hold began counts no more.
        if (now < conduct.HeldUntil)
        {
            return TimeSpan.Zero;
        }

        var floods = conduct.Floods + 1;
        var isHeld = conduct.Hold > TimeSpan.Zero || floods >= _options.FloodsBeforeHold;
        var hold = isHeld ? TimeSpan.FromTicks(Math.Min(Math.Max(First.Ticks, 2 * conduct.Hold.Ticks), _options.LongestHold.Ticks)) : TimeSpan.Zero;
        _known[key] = isHeld ? new Conduct(conduct.Since, floods, hold, now + hold, now + hold) : conduct with { Floods = floods };
        return hold;
    }

    private static bool IsForgotten(Conduct conduct, TimeSpan now) =>
        conduct.Hold > TimeSpan.Zero ? now - conduct.HeldUntil > TimeSpan.FromTicks(Math.Max(Window.Ticks, 2 * conduct.Hold.Ticks)) : now - conduct.Since > Window;

    private bool HasPlaceLocked((IPAddress Address, int Port) key, TimeSpan now)
    {
        if (_known.Count >= MaxAddresses && now - _swept > First)
        {
            _swept = now;
            foreach (var (old, _) in _known.Where(known => IsForgotten(known.Value, now)).ToList())
            {
                _known.Remove(old);
            }
        }

        return _known.Count < MaxAddresses || _known.ContainsKey(key);
    }

    private bool IsExempt(IPAddress address)
    {
        var plain = Plain(address);
        return _exempt.Any(network => network.Contains(plain));
    }

    /// <summary>IPv4 as such, also where a socket for both says it in the form of IPv6.</summary>
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPAddress PartOf(IPAddress address)
    {
        var plain = Plain(address);
        if (plain.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return plain;
        }

        var bytes = plain.GetAddressBytes();
        bytes.AsSpan(ClientsPart).Clear();
        return new IPAddress(bytes);
    }

    /// <summary>How an address behaves; times since <see cref="_start"/>.</summary>
    /// <param name="Since">When its floods began to be counted.</param>
    /// <param name="Hold">The last one; zero before the first.</param>
    /// <param name="Next">When it may have another connection.</param>
    private readonly record struct Conduct(TimeSpan Since, int Floods, TimeSpan Hold, TimeSpan HeldUntil, TimeSpan Next);
}
