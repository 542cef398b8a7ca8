using Cluster.Security;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Security;

public sealed class SubjectNamesTests
{
    [Fact]
    public void Uris_AreThoseOfTheCertificate()
    {
        using var authority = TestAuthority.Create(TimeProvider.System);
        using var certificate = authority.Issue(new TestSubject("cluster://blue/silo", "https://example.org/"));
        using var without = authority.Issue(new TestSubject([]));

        Assert.Equal(["cluster://blue/silo", "https://example.org/"], SubjectNames.UrisOf(certificate));
        Assert.Empty(SubjectNames.UrisOf(without));
    }
}
