namespace Cluster.Unit.Runtime.Membership.Model;

/// <summary>
/// What can happen next in the protocol, with the decisions of the product. Messages to Redis are delayed at will, answers of writes get
/// lost, silos suspect each other wrongly.
/// <para>
/// One assumption on time: the silo that makes a new table settles only after running silos that are members of a lost one have looked
/// at it (<see cref="ClusterMembershipOptions.NewTableSettleTime"/>).
/// </para>
/// </summary>
internal static class ModelActions
{
    private static readonly GrainId Grain = GrainId.Create("model", "m");

    /// <summary>Faults: the model must go on without them.</summary>
    public static IEnumerable<(string Name, ModelState Next)> Faults(ModelState state)
    {
        foreach (var silo in state.Silos.Where(static silo => silo.Up))
        {
            yield return ($"crash {silo.Number}", state.With(silo.Down()));
            if (silo.Runs && silo.Write is { } write && Matches(state.Table, write.Expected))
            {
                yield return ($"written, answer lost {silo.Number}", state.With(silo with { Write = null }) with { Table = write.Next });
            }
        }

        foreach (var silo in state.Silos.Where(silo => state.Restarts > 0 && !silo.Up))
        {
            yield return ($"restart {silo.Number}", state.With(ModelSilo.New(silo.Number, silo.Generation + 1)) with { Restarts = state.Restarts - 1 });
        }

        if (state.Losses > 0)
        {
            yield return ("Redis loses everything", state with { Table = MembershipView.None, Entry = null, Counter = 0, Losses = state.Losses - 1 });
        }
    }

    /// <summary>Steps of the protocol.</summary>
    public static IEnumerable<(string Name, ModelState Next)> Steps(ModelState state)
    {
        foreach (var silo in state.Silos.Where(static silo => silo.Up))
        {
            var steps = silo.Terminated ? [("stop", state.With(silo.Down()))] : TableSteps(state, silo).Concat(DirectorySteps(state, silo));
            foreach (var (name, next) in steps)
            {
                yield return ($"{name} {silo.Number}", next);
            }
        }
    }

    private static IEnumerable<(string Name, ModelState Next)> TableSteps(ModelState state, ModelSilo silo)
    {
        if (silo.Write is { } write)
        {
            var done = Matches(state.Table, write.Expected);
            var after = silo with { Write = null, Known = done && write.Next.Version > silo.Known.Version ? write.Next : silo.Known };
            yield return (done ? "written" : "conflict", state.With(after) with { Table = done ? write.Next : state.Table });
            yield break;
        }

        if (!silo.Known.Exists)
        {
            if (!state.Table.IsDead(silo.Address))
            {
                yield return ("joined, as it finds", state.With(silo with { Known = state.Table }));
            }
            else if (MembershipDecisions.Join(state.Table, Row(silo), null, Life(state, silo), Silos.Start).Next is { } joined)
            {
                yield return ("join", state.With(silo with { Write = (state.Table, joined) }));
            }

            yield break;
        }

        var (decision, next) = MembershipRestore.Decide(silo.Known, state.Table, silo.Address, Life(state, silo));
        if (decision == RestoreDecision.PutBack)
        {
            yield return ("put back rows", state.With(silo with { Write = (state.Table, next!) }));
        }
        else if (decision == RestoreDecision.Terminate)
        {
            yield return ("terminate", state.With(silo with { Terminated = true, Known = state.Table }));
        }
        else
        {
            if (silo.Known.Version != state.Table.Version)
            {
                yield return ("read", state.With(silo with { Known = state.Table }));
            }

            foreach (var step in Changes(state, silo with { Known = state.Table }))
            {
                yield return step;
            }
        }
    }

    private static IEnumerable<(string Name, ModelState Next)> Changes(ModelState state, ModelSilo silo)
    {
        var table = state.Table;
        if (table.Find(silo.Address) is { Status: SiloStatus.Joining }
            && MembershipDecisions.SetStatus(table, silo.Address, SiloStatus.Active, Silos.Start) is { } active)
        {
            yield return ("activate", state.With(silo with { Write = (table, active) }));
        }

        if (silo.PutBackIn == table.Incarnation && MayEndSettling(state, silo) && MembershipDecisions.Settle(table, silo.Address) is { } settled)
        {
            yield return ("settle", state.With(silo with { Write = (table, settled) }));
        }

        foreach (var target in table.Entries.Keys.Where(target => target != silo.Address))
        {
            // Silos that run are suspected too, but not without end.
            var wrongly = state.Other(silo) is { Runs: true } other && other.Address == target;
            if ((!wrongly || state.Suspicions > 0)
                && MembershipDecisions.Vote(table, silo.Address, target, 1, TimeSpan.MaxValue, Silos.Start) is { } voted)
            {
                yield return ($"vote against {target}", state.With(silo with { Write = (table, voted) }) with { Suspicions = state.Suspicions - (wrongly ? 1 : 0) });
            }
        }
    }

    private static IEnumerable<(string Name, ModelState Next)> DirectorySteps(ModelState state, ModelSilo silo)
    {
        if (silo.Register is { } register)
        {
            yield return ("registration arrives", Register(state, silo with { Register = null }, register.Candidate, register.Incarnation));
        }
        else if (silo.Reply is { } reply)
        {
            var mine = reply.Winner.SiloAddress == silo.Address && reply.Incarnation == silo.Known.Incarnation;
            yield return (mine ? "active" : "not active", state.With(silo with { Reply = null, Held = mine ? reply.Winner : null }));
        }
        else if (silo.Unregister is { } unregister)
        {
            var entry = DirectoryDecisions.MayUnregister(state.Entry, unregister) ? null : state.Entry;
            yield return ("unregistered", state.With(silo with { Unregister = null }) with { Entry = entry });
        }
        else if (silo.Held is { } held)
        {
            yield return ("deactivate", state.With(silo with { Held = null, Unregister = held }));
        }
        else if (silo.IsMember && state.Registrations > 0)
        {
            var candidate = new GrainAddress { GrainId = Grain, SiloAddress = silo.Address, ActivationId = new ActivationId(new Guid(state.Registrations, 0, 0, new byte[8])) };
            yield return ("activating", state.With(silo with { Register = (candidate, silo.Known.Incarnation) }) with { Registrations = state.Registrations - 1 });
        }

        // Once when it must, and again to see who won.
        var must = silo.Known.Unsettled.Contains(silo.Address) && silo.PutBackIn != silo.Known.Incarnation;
        var again = silo.Held is not null && silo.Known.Unsettled.IsEmpty && !(state.Entry?.Matches(silo.Held) ?? false);
        if (silo.IsMember && (must || again) && MayAsk(state, silo.Address, silo.Known.Incarnation))
        {
            yield return ("put back entry", PutBack(state, silo with { PutBackIn = silo.Known.Incarnation }));
        }
    }

    private static ModelState Register(ModelState state, ModelSilo silo, GrainAddress candidate, string incarnation)
    {
        if (!MayAsk(state, candidate.SiloAddress!, incarnation) || !state.Table.Unsettled.IsEmpty)
        {
            return state.With(silo);
        }

        if (!DirectoryDecisions.MayRegister(state.Entry, null, state.Table.IsDead))
        {
            return state.With(silo with { Reply = (state.Entry!, incarnation) });
        }

        var epoch = DirectoryDecisions.NextEpoch(state.Counter, state.Table.Version);
        var entry = candidate with { LoadEpoch = epoch };
        return state.With(silo with { Reply = (entry, incarnation) }) with { Entry = entry, Counter = epoch };
    }

    private static ModelState PutBack(ModelState state, ModelSilo silo)
    {
        if (silo.Held is not { } held)
        {
            return state.With(silo);
        }

        var counter = Math.Max(state.Counter, held.LoadEpoch);
        if (DirectoryDecisions.MayPutBack(state.Entry, held, state.Table.IsDead))
        {
            return state.With(silo) with { Entry = held, Counter = counter };
        }

        return state.With(state.Entry!.Matches(held) ? silo : silo with { Held = null }) with { Counter = counter };
    }

    private static bool MayAsk(ModelState state, SiloAddress silo, string incarnation) =>
        state.Table.Incarnation == incarnation && !state.Table.IsDead(silo);

    private static bool MayEndSettling(ModelState state, ModelSilo silo) =>
        state.Other(silo) is not { IsMember: true } other || other.Known.Incarnation == state.Table.Incarnation;

    private static bool Matches(MembershipView table, MembershipView expected) =>
        table.Version == expected.Version && table.Incarnation == expected.Incarnation;

    private static MembershipEntry Row(ModelSilo silo) => Silos.Row(silo.Address, SiloStatus.Joining) with { Labels = [] };

    // The same decision gives the same name, so that states can meet; another table or silo another one.
    private static string Life(ModelState state, ModelSilo silo) => $"L{silo.Number}.{silo.Generation}.{state.Table.Version}.{state.Losses}.{silo.Known.Version}";
}
