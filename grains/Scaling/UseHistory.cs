namespace Cluster.Grains.Scaling;

/// <summary>Remembers just enough of when a model was used to tell lasting use from a passing one: two moments. Immutable.</summary>
/// <param name="Earlier">A use before <paramref name="Later"/>, or null.</param>
/// <param name="Later">A use, or null; others since then are not remembered until it is old enough to count.</param>
[GenerateSerializer, Immutable, Alias("use-history")]
public readonly record struct UseHistory([property: Id(0)] DateTimeOffset? Earlier, [property: Id(1)] DateTimeOffset? Later)
{
    /// <summary>The history after a use.</summary>
    public UseHistory Used(DateTimeOffset now, ScalingOptions options)
    {
        if (Later is { } later && now - later < options.SecondCopyMinAge)
        {
            return this;
        }

        return new UseHistory(Later, now);
    }

    /// <summary>Whether a model that is used now was used long enough ago, but not too long ago, too.</summary>
    public bool IsLasting(DateTimeOffset now, ScalingOptions options) => Counts(Earlier, now, options) || Counts(Later, now, options);

    private static bool Counts(DateTimeOffset? use, DateTimeOffset now, ScalingOptions options) =>
        use is { } then && now - then >= options.SecondCopyMinAge && now - then <= options.SecondCopyMaxAge;
}
