using Cluster.Gateway.ModelMesh;
using Xunit;

namespace Cluster.Unit.Gateway.ModelMesh;

public sealed class RegisteredPlaceTests
{
    [Theory]
    [InlineData("team-a/x", "team-a")]
    [InlineData("./team-a", "team-a")]
    [InlineData("//team-a/x", "team-a")]
    [InlineData("..\\team-a", "..")]
    [InlineData("", "*")]
    [InlineData("./", "*")]
    [InlineData("s3://models/team-a/x", "models/team-a")]
    [InlineData("s3://models/team-a", "models/team-a")]
    [InlineData("s3://models/team-a\\..\\team-b", "models/team-a")]
    [InlineData("s3://models", "models")]
    [InlineData("s3://", "*")]
    [InlineData("s3:///models/team-a", "*")]
    [InlineData("gs://models/team-a/x", "models/team-a")]
    [InlineData("s3:/models/team-a", "s3:")]
    [InlineData("team-b/s3://models/team-a", "team-b")]
    public void NameOf_Path_IsWhatTheClientMustBeAllowedToChange(string path, string expected) => Assert.Equal(expected, RegisteredPlace.NameOf(path));
}
