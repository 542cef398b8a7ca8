namespace Cluster.Runtime;

/// <summary>What a reference to a grain implements: something that has an identity wherever it is activated.</summary>
public interface IAddressable
{
}
