namespace Cluster.Unit.Runtime.Membership;

/// <summary>The stores that suites run against.</summary>
internal static class Stores
{
    public const string Memory = "memory";
    public const string Redis = "redis";
}
