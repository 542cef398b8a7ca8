namespace Cluster.Runtime;

/// <summary>A virtual actor: it always exists, and is activated when it is called.</summary>
public interface IGrain : IAddressable
{
}
