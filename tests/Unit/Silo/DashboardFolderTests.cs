using Cluster.Silo.Dashboard;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Cluster.Unit.Silo;

public sealed class DashboardFolderTests
{
    [Theory]
    [InlineData("9090", "Dashboard:Port is '9090', expected 0: this program comes without its folder 'dashboard'")]
    [InlineData("0", null)]
    public void Check_BesideAProgramWithoutTheLibraries_NamesTheOption(string port, string? mistake)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Dashboard:Port"] = port }).Build();

        Assert.Equal(mistake, DashboardFolder.Check(configuration));
    }
}
