using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>
/// What becomes of a version's copies: they arrive, serve, tell of themselves, and go. Pure. Of each state that it makes holds:
/// <list type="bullet">
/// <item>a copy arrives or serves, never both, and its number was never another copy's;</item>
/// <item>copies that serve are of one content, and all in memory, or only one;</item>
/// <item>the last copy that serves goes only with its version, or for copies that take its place.</item>
/// </list>
/// </summary>
internal static class CopyPlan
{
    /// <summary>Copies that serve and are in memory, ascending.</summary>
    public static ImmutableArray<int> InMemory(ModelGrainState state, long version) =>
        state.Loaded.TryGetValue(version, out var loaded) ? [.. loaded.Copies.Where(copy => IsInMemory(state, version, copy))] : [];

    /// <summary>Whether a version serves without being in memory.</summary>
    public static bool IsOnDemand(ModelGrainState state, long version) => state.Loaded.ContainsKey(version) && InMemory(state, version).IsEmpty;

    public static CopyPresence? PresenceOf(ModelGrainState state, long version, int copy) => state.Presence.GetValueOrDefault(version)?.GetValueOrDefault(copy);

    /// <summary>Copies of a version that are known to be in memory on a silo.</summary>
    public static ImmutableArray<int> On(ModelGrainState state, long version, string silo) =>
        [.. InMemory(state, version).Where(copy => PresenceOf(state, version, copy)?.Silo == silo)];

    /// <summary>Where copies that serve are known to be in memory.</summary>
    public static ImmutableArray<CopyPlacement> Placements(ModelGrainState state, long version) =>
    [
        .. InMemory(state, version)
            .Select(copy => PresenceOf(state, version, copy))
            .Where(presence => presence is { Silo: not null })
            .Select(presence => new CopyPlacement(presence!.Copy, presence.Silo!, presence.Epoch)),
    ];

    /// <summary>
    /// The state of a grain that has forgotten what it knew, such as with its storage: numbers that others know of are not given out again.
    /// </summary>
    public static ModelGrainState Begin(ModelGrainState state, ModelServingState? published) => state with
    {
        NextCopy = (published?.Versions ?? [])
            .Where(version => version.Copies.Length + version.Arriving.Length > 0)
            .ToImmutableSortedDictionary(version => version.Version, version => version.Copies.Concat(version.Arriving).Max() + 1),
    };

    /// <summary>Gives out the numbers of copies that are about to be loaded.</summary>
    public static (ModelGrainState State, ImmutableArray<int> Copies) Arrive(ModelGrainState state, long version, int count)
    {
        var first = state.NextCopy.GetValueOrDefault(version);
        ImmutableArray<int> copies = [.. Enumerable.Range(first, count)];
        return (state with
        {
            NextCopy = state.NextCopy.SetItem(version, first + count),
            Arriving = state.Arriving.SetItem(version, state.Arriving.GetValueOrDefault(version, []).AddRange(copies)),
        }, copies);
    }

    /// <summary>Copies do not arrive after all.</summary>
    public static ModelGrainState GiveUp(ModelGrainState state, long version, IReadOnlyCollection<int> copies)
    {
        var left = state.Arriving.GetValueOrDefault(version, []).RemoveAll(copies.Contains);
        return WithoutPresence(WithArriving(state, version, left), version, copies.Except(CopiesOf(state, version)));
    }

    /// <summary>Has copies that arrived serve in the place of those that did; what these were is for the caller to end.</summary>
    /// <param name="inMemory">False: they are loaded by their first request; then it is one copy.</param>
    public static ModelGrainState Replace(ModelGrainState state, long version, LoadedVersion by, bool inMemory)
    {
        // One that was evicted as soon as it was loaded is not worth more than its number.
        ImmutableArray<int> stay = inMemory ? [.. by.Copies.Where(copy => IsInMemory(state, version, copy))] : [];
        var next = Settle(state, version, by with { Copies = stay.IsEmpty ? by.Copies[..1] : stay }) with { Failed = state.Failed.Remove(version) };
        return inMemory ? next : WithPresence(next, version, new CopyPresence(by.Copies[0], Epoch: 0, InMemory: false));
    }

    /// <summary>Has copies that arrived serve beside those that do, and takes out others in the same step.</summary>
    public static ModelGrainState Add(ModelGrainState state, long version, IReadOnlyCollection<int> copies, IReadOnlyCollection<int> without)
    {
        var loaded = state.Loaded[version];
        ImmutableArray<int> serving =
            [.. loaded.Copies.Where(copy => !without.Contains(copy)).Union(copies).Where(copy => IsInMemory(state, version, copy)).Order()];
        return serving.IsEmpty ? state : Settle(state, version, loaded with { Copies = serving });
    }

    /// <summary>Takes a copy out of those that serve; the last one becomes one that is loaded on demand.</summary>
    public static ModelGrainState Remove(ModelGrainState state, long version, int copy)
    {
        var loaded = state.Loaded[version];
        var left = loaded.Copies.Remove(copy);
        if (left.Any(other => IsInMemory(state, version, other)))
        {
            return Settle(state, version, loaded with { Copies = left });
        }

        var known = PresenceOf(state, version, copy) ?? new CopyPresence(copy, Epoch: 0, InMemory: false);
        return WithPresence(Settle(state, version, loaded with { Copies = [copy] }), version, known with { InMemory = false });
    }

    /// <summary>A version does not serve any more.</summary>
    public static ModelGrainState End(ModelGrainState state, long version) => state with
    {
        Loaded = state.Loaded.Remove(version),
        Presence = state.Presence.Remove(version),
        Arriving = state.Arriving.Remove(version),
    };

    /// <summary>The state after a copy told of itself; the same if it is of no use.</summary>
    public static ModelGrainState Take(ModelGrainState state, CopyReport report)
    {
        var (version, copy) = (report.Copy.Version, report.Copy.Copy);
        var known = PresenceOf(state, version, copy);
        var serves = CopiesOf(state, version).Contains(copy);
        if ((!serves && !state.Arriving.GetValueOrDefault(version, []).Contains(copy)) || !IsNews(known, report))
        {
            return state;
        }

        var past = known?.Past;
        if (report.Statistics is { } statistics)
        {
            past = past is null ? statistics : CopyStatistics.Sum(past, statistics);
        }

        var presence = new CopyPresence(
            copy, report.Epoch, report.InMemory, report.Description, past, report.Silo, report.Revision, report.SettingsRevision);
        var next = WithPresence(state, version, presence);
        return (serves, report.InMemory) switch
        {
            (true, true) => TakeContent(next, report),
            (true, false) => Shrink(Remove(next, version, copy), version),
            _ => next,
        };
    }

    /// <summary>Forgets the copies that silos held.</summary>
    public static ModelGrainState Lose(ModelGrainState state, ImmutableArray<string> silos)
    {
        foreach (var (version, presences) in state.Presence)
        {
            var lost = presences.Values.Where(presence => presence is { InMemory: true, Silo: { } silo } && silos.Contains(silo)).Select(presence => presence.Copy).ToList();
            var serving = CopiesOf(state, version);
            foreach (var copy in lost)
            {
                state = serving.Contains(copy) ? Remove(state, version, copy) : WithoutPresence(state, version, [copy]);
            }
        }

        return state;
    }

    /// <summary>
    /// A copy that was lost with its silo serves again, beside the others: a request brought it back elsewhere before it was replaced. The same state if it is
    /// of no use: the version is of other content by now, is not in memory, or has a copy on that silo.
    /// </summary>
    public static ModelGrainState Readmit(ModelGrainState state, CopyReport report)
    {
        var (version, copy) = (report.Copy.Version, report.Copy.Copy);
        var isOfUse = state.Loaded.TryGetValue(version, out var loaded)
            && !loaded.Copies.Contains(copy)
            && (loaded.Revision, loaded.SettingsRevision) == (report.Revision, report.SettingsRevision)
            && !InMemory(state, version).IsEmpty
            && On(state, version, report.Silo).IsEmpty;
        return isOfUse ? state with { Loaded = state.Loaded.SetItem(version, loaded! with { Copies = [.. loaded.Copies.Add(copy).Order()] }) } : state;
    }

    /// <summary>A copy that serves alone may have been loaded from newer content than it was before; one among others may not.</summary>
    private static ModelGrainState TakeContent(ModelGrainState state, CopyReport report)
    {
        var version = report.Copy.Version;
        var loaded = state.Loaded[version];
        if (loaded.Revision == report.Revision && loaded.SettingsRevision == report.SettingsRevision)
        {
            return state;
        }

        return loaded.Copies.Length == 1
            ? state with { Loaded = state.Loaded.SetItem(version, loaded with { Revision = report.Revision, SettingsRevision = report.SettingsRevision }) }
            : Settle(state, version, loaded with { Copies = loaded.Copies.Remove(report.Copy.Copy) });
    }

    /// <summary>What a silo's cache took away is not brought back for the sake of a number: its memory was needed for others.</summary>
    private static ModelGrainState Shrink(ModelGrainState state, long version)
    {
        var loaded = state.Loaded[version];
        return loaded.Target > loaded.Copies.Length
            ? state with { Loaded = state.Loaded.SetItem(version, loaded with { Target = loaded.Copies.Length }) }
            : state;
    }

    /// <summary>
    /// Whether a report tells of a later moment than what is known. Epochs order the loads on one silo; between silos, whose clocks differ, what is in
    /// memory stays until it is told to have gone: a copy tells of itself again while others do not know of it.
    /// </summary>
    private static bool IsNews(CopyPresence? known, CopyReport report)
    {
        if (known is null)
        {
            return true;
        }

        if (known.Silo is null || known.Silo == report.Silo)
        {
            return report.Epoch > known.Epoch || (report.Epoch == known.Epoch && !report.InMemory && known.InMemory);
        }

        return report.InMemory && (!known.InMemory || report.Epoch > known.Epoch);
    }

    private static bool IsInMemory(ModelGrainState state, long version, int copy) => PresenceOf(state, version, copy)?.InMemory != false;

    private static ImmutableArray<int> CopiesOf(ModelGrainState state, long version) => state.Loaded.GetValueOrDefault(version)?.Copies ?? [];

    /// <summary>Sets what serves; it arrives no more, and what neither serves nor arrives is forgotten.</summary>
    private static ModelGrainState Settle(ModelGrainState state, long version, LoadedVersion loaded)
    {
        var arriving = state.Arriving.GetValueOrDefault(version, []).RemoveAll(loaded.Copies.Contains);
        var gone = state.Presence.GetValueOrDefault(version)?.Keys.Where(copy => !loaded.Copies.Contains(copy) && !arriving.Contains(copy)) ?? [];
        var next = WithoutPresence(WithArriving(state, version, arriving), version, gone);
        return next with { Loaded = next.Loaded.SetItem(version, loaded) };
    }

    private static ModelGrainState WithArriving(ModelGrainState state, long version, ImmutableArray<int> arriving) =>
        state with { Arriving = arriving.IsEmpty ? state.Arriving.Remove(version) : state.Arriving.SetItem(version, arriving) };

    private static ModelGrainState WithPresence(ModelGrainState state, long version, CopyPresence presence)
    {
        var all = state.Presence.GetValueOrDefault(version, ImmutableSortedDictionary<int, CopyPresence>.Empty);
        return state with { Presence = state.Presence.SetItem(version, all.SetItem(presence.Copy, presence)) };
    }

    private static ModelGrainState WithoutPresence(ModelGrainState state, long version, IEnumerable<int> copies)
    {
        if (state.Presence.GetValueOrDefault(version) is not { } all)
        {
            return state;
        }

        var left = all.RemoveRange(copies);
        return state with { Presence = left.IsEmpty ? state.Presence.Remove(version) : state.Presence.SetItem(version, left) };
    }
}
