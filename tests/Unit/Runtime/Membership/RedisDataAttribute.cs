using System.Reflection;
using Cluster.Tests.Common;
using Xunit.Sdk;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>Runs a theory with the store "redis"; skipped, with the reason, where there is no redis-server.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RedisDataAttribute : DataAttribute
{
    public RedisDataAttribute() => Skip = RedisServer.MissingReason;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[Stores.Redis]];
}
