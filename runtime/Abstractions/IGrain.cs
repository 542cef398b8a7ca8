namespace Cluster.Runtime;

/// <summary>What a reference to a grain implements: something that has an identity wherever it is activated.</summary>
public interface IAddressable
{
}

/// <summary>A virtual actor: it always exists, and is activated when it is called.</summary>
public interface IGrain : IAddressable
{
}

/// <summary>A grain whose key is a string.</summary>
public interface IGrainWithStringKey : IGrain
{
}
