namespace Cluster.Grains.Placement;

/// <summary>Whether this silo takes nothing new: since it is about to leave, or since an operator drains it. Safe from any thread.</summary>
public sealed class SiloDraining
{
    private readonly Lock _lock = new();
    private bool _leaves;
    private bool _asked;

    /// <summary>Called whenever <see cref="HasBegun"/> changes.</summary>
    public event Action? Changed;

    public bool HasBegun
    {
        get
        {
            lock (_lock)
            {
                return _leaves || _asked;
            }
        }
    }

    /// <summary>Whether an operator drains the silo.</summary>
    public bool IsAsked
    {
        get
        {
            lock (_lock)
            {
                return _asked;
            }
        }
    }

    /// <summary>The silo leaves. It takes nothing new from now on, and publishes that at once. A second call does no harm.</summary>
    public void Begin() => Set(leaves: true, asked: null);

    /// <summary>An operator drains the silo, or does so no more. A silo that leaves takes nothing new all the same.</summary>
    /// <returns>Whether that was not so before.</returns>
    public bool Ask(bool drains) => Set(leaves: null, drains);

    private bool Set(bool? leaves, bool? asked)
    {
        bool isNew, isTold;
        lock (_lock)
        {
            var before = (_leaves, _asked);
            (_leaves, _asked) = (leaves ?? _leaves, asked ?? _asked);
            isNew = before != (_leaves, _asked);
            isTold = (before._leaves || before._asked) != (_leaves || _asked);
        }

        if (isTold)
        {
            Changed?.Invoke();
        }

        return isNew;
    }
}
