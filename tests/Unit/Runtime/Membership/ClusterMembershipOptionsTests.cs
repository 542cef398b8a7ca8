using Microsoft.Extensions.Options;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

public sealed class ClusterMembershipOptionsTests
{
    [Fact]
    public void ClusterMembershipOptions_Defaults_AreValidAndBadOnesAreNamed()
    {
        var validator = new ClusterMembershipOptionsValidator();

        Assert.True(validator.Validate(null, new ClusterMembershipOptions()).Succeeded);
        ValidateOptionsResult bad = validator.Validate(null, new ClusterMembershipOptions
        {
            ProbeInterval = TimeSpan.Zero, NumProbedSilos = 0, AliveExpiration = TimeSpan.FromMilliseconds(600), NewTableSettleTime = TimeSpan.FromSeconds(-1),
        });
        Assert.Equal(4, bad.Failures!.Count());
    }
}
