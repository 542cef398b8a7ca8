using System.Reflection;
using Cluster.Grains.Models;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>
/// An <see cref="IModelWorkGrain"/> that counts its calls. Made when the tests run: Orleans would take a class that has the interface for a second kind of
/// grain with it.
/// </summary>
public class FakeModelWork : DispatchProxy
{
    private int _looks;

    /// <summary>How often it was to look at what it should do.</summary>
    public int Looks => Volatile.Read(ref _looks);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        Assert.Equal(nameof(IModelWorkGrain.CarryOutAsync), targetMethod?.Name);
        Interlocked.Increment(ref _looks);
        return ValueTask.CompletedTask;
    }
}
