using System.Collections.Concurrent;
using Cluster.Contracts.Registry;

namespace Cluster.Gateway.Traffic;

/// <summary>The rules of all aliases, kept up to date from this process's replica of them: finding one takes no lock and no network.</summary>
internal sealed class TrafficTable : IDisposable
{
    private readonly ConcurrentDictionary<string, LiveRule> _rules = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly IAliases _aliases;
    private readonly TrafficChance _chance;
    private readonly TrafficMetrics _metrics;
    private readonly TimeProvider _time;

    public TrafficTable(IAliases aliases, TrafficChance chance, TrafficMetrics metrics, TimeProvider time)
    {
        (_aliases, _chance, _metrics, _time) = (aliases, chance, metrics, time);
        aliases.Changed += Update;
        foreach (var state in aliases.All)
        {
            Update(state.Alias);
        }
    }

    /// <summary>The ticket of a request for an alias; null where that has no rule.</summary>
    public TrafficTicket? TicketFor(AliasState alias) => alias.Traffic is null || !_rules.TryGetValue(alias.Alias, out var rule) ? null : new TrafficTicket(rule);

    /// <summary>The rule of an alias as this gateway has it; null for none.</summary>
    public LiveRule? Find(string alias) => _rules.GetValueOrDefault(alias);

    public void Dispose()
    {
        _aliases.Changed -= Update;
        lock (_lock)
        {
            foreach (var rule in _rules.Values)
            {
                rule.Dispose();
            }

            _rules.Clear();
        }
    }

    /// <summary>Reads the state itself, so that of two changes at once the later reader sees the latest.</summary>
    private void Update(string alias)
    {
        lock (_lock)
        {
            var traffic = _aliases.TryGet(alias, out var state) ? state.Traffic : null;
            if (_rules.TryGetValue(alias, out var old) && old.Revision == traffic?.Revision)
            {
                old.Follow(traffic);
                return;
            }

            // The new one takes the series before the old one gives them back, so that counters go on.
            if (traffic is not null)
            {
                _rules[alias] = new LiveRule(alias, traffic, _chance, _metrics, _time);
            }
            else
            {
                _rules.TryRemove(alias, out _);
            }

            old?.Dispose();
        }
    }
}
