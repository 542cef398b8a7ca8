using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>A fact that needs a redis-server; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute() => Skip = RedisServer.MissingReason;
}
