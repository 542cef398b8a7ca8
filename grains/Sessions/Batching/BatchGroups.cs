namespace Cluster.Grains.Sessions.Batching;

/// <summary>Puts requests together whose shapes fit, as far as padding does not make them too long.</summary>
internal static class BatchGroups
{
    /// <summary>Requests of more shapes than these run by themselves: to compare each with all takes longer.</summary>
    private const int MaxGroups = 16;

    /// <summary>A joined input may be this many times what its requests hold: one long request must not make all others as long.</summary>
    private const int MaxPadding = 2;

    public static List<List<BatchPart>> Of(IEnumerable<BatchPart> parts, BatchPlan plan)
    {
        var groups = new List<List<BatchPart>>();
        foreach (var part in parts)
        {
            if (groups.Find(group => group[0].Fits(part, plan) && IsNotTooLong(group, part, plan)) is { } group)
            {
                group.Add(part);
            }
            else if (groups.Count < MaxGroups)
            {
                groups.Add([part]);
            }
        }

        return groups;
    }

    private static bool IsNotTooLong(List<BatchPart> group, BatchPart added, BatchPlan plan)
    {
        for (var i = 0; i < added.Inputs.Slots.Count; i++)
        {
            if (plan.PaddingOf(added.Inputs.Slots[i]) is not { Dimension: var dimension })
            {
                continue;
            }

            var (rows, longest, held) = (added.Rows, added.Inputs.Shapes[i][dimension], added.Rows * added.Inputs.Shapes[i][dimension]);
            foreach (var part in group)
            {
                rows += part.Rows;
                longest = Math.Max(longest, part.Inputs.Shapes[i][dimension]);
                held += part.Rows * part.Inputs.Shapes[i][dimension];
            }

            if (rows * longest > MaxPadding * held)
            {
                return false;
            }
        }

        return true;
    }
}
