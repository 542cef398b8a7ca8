using Cluster.Contracts.Errors;
using Cluster.Gateway.ModelMesh;
using Xunit;

namespace Cluster.Unit.Gateway.ModelMesh;

public sealed class PagesTests
{
    private static readonly string[] Items = ["a1", "a2", "a3", "b1"];

    [Theory]
    [InlineData("", 0, "", "a1,a2,a3,b1", "")]
    [InlineData("", 2, "", "a1,a2", "a2")]
    [InlineData("", 2, "a2", "a3,b1", "")]
    [InlineData("a", 2, "a2", "a3", "")]
    [InlineData("", 4, "", "a1,a2,a3,b1", "")]
    [InlineData("c", 0, "", "", "")]
    [InlineData("", 2, "a15", "a2,a3", "a3")]
    public void Cut_List_GivesAPageAndWhereTheNextBegins(string prefix, uint size, string token, string page, string next)
    {
        var (items, found) = Pages.Cut(Items, item => item, prefix, size, token);

        Assert.Equal(page, string.Join(',', items));
        Assert.Equal(next, found);
    }

    [Fact]
    public void Cut_TooLargeAPage_IsRefused() =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<ServingException>(() => Pages.Cut(Items, item => item, "", 10_001, "")).Failure.Code);
}
