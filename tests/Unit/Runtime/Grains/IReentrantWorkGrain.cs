namespace Cluster.Unit.Runtime.Grains;

public interface IReentrantWorkGrain : IWorkGrain
{
    /// <summary>Adds one after an await, without a lock, while it watches that no other turn runs.</summary>
    Task<int> Count();
}
