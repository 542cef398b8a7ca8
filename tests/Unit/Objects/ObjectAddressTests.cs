using Cluster.Grains.Objects;
using Cluster.Grains.Objects.Downloads;
using Cluster.Grains.Repository.Versions;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>Addresses and keys, and which of them become paths of files.</summary>
public sealed class ObjectAddressTests
{
    [Theory]
    [InlineData("s3://models", "models", "")]
    [InlineData("s3://models/", "models", "")]
    [InlineData("s3://my.models-2/a/b c/é", "my.models-2", "a/b c/é")]
    [InlineData("s3://models/a/", "models", "a")]
    public void Address_OfTheRightForm_IsRead(string text, string bucket, string key) =>
        Assert.Equal(new ObjectAddress(bucket, key), ObjectAddress.Parse(text));

    [Theory]
    [InlineData("models/a")]
    [InlineData("S3://models/a")]
    [InlineData("s3://")]
    [InlineData("s3://ab")]
    [InlineData("s3:///a")]
    [InlineData("s3://.models/a")]
    [InlineData("s3://mod..els/a")]
    [InlineData("s3://mod els/a")]
    [InlineData("s3://models//a")]
    [InlineData("s3://models/a/../b")]
    [InlineData("s3://models/./a")]
    [InlineData("s3://models/a\\b")]
    [InlineData("s3://models/a\0b")]
    [InlineData("s3://user:secret@models/a")]
    public void Address_OfAnotherForm_IsRefused(string text) => Assert.Null(ObjectAddress.Parse(text));

    [Theory]
    [InlineData("s3://b-1", "s3://b-1/x", true)]
    [InlineData("s3://b-1/a", "s3://b-1/a", true)]
    [InlineData("s3://b-1/a", "s3://b-1/a/b", true)]
    [InlineData("s3://b-1/a", "s3://b-1/ab", false)]
    [InlineData("s3://b-1/a", "s3://b-2/a", false)]
    public void Address_HoldsWhatLiesBelow(string outer, string inner, bool holds) => Assert.Equal(holds, ObjectAddress.Parse(outer)!.Holds(ObjectAddress.Parse(inner)!));

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("a/../b.onnx")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("..")]
    public void Key_ThatIsNoRelativePath_TakesItsVersionAway(string key)
    {
        var listing = List("model.onnx", key);

        Assert.StartsWith("a key in '1' ", listing.Problem, StringComparison.Ordinal);
        Assert.Empty(listing.Files);
    }

    [Fact]
    public void Key_WithALongSegment_TakesItsVersionAway() => Assert.NotNull(List("model.onnx", new string('é', 128)).Problem);

    [Theory]
    [InlineData("a", "a/b")]
    [InlineData("x/a", "x/a/b/c")]
    public void Object_ThatIsAlsoAPrefix_TakesItsVersionAway(string one, string other) =>
        Assert.Contains("both an object and a prefix", List("model.onnx", one, other).Problem, StringComparison.Ordinal);

    [Fact]
    public void Objects_ThatAreHidden_DoNotBelongToTheVersion() =>
        Assert.Equal(["model.onnx"], List("model.onnx", ".model.onnx.tmp", "a/.b/c").Files.Select(static file => file.Name));

    [Fact]
    public void Folders_TooDeep_TakeTheirVersionAway() => Assert.Contains("8 folders deep", List("model.onnx", "1/2/3/4/5/6/7/8/9/x").Problem, StringComparison.Ordinal);

    [Fact]
    public void Revision_IsAnother_ForAnotherETagSizeNameOrPlace()
    {
        string[] revisions =
        [
            Revision("s3://models/m/1", new StoredObject("model.onnx", 5, "e")),
            Revision("s3://models/m/1", new StoredObject("model.onnx", 5, "f")),
            Revision("s3://models/m/1", new StoredObject("model.onnx", 6, "e")),
            Revision("s3://models/m/1", new StoredObject("other.onnx", 5, "e")),
            Revision("s3://models/n/1", new StoredObject("model.onnx", 5, "e")),
            Revision("s3://models/m/1", new StoredObject("model.onnx", 5, "e"), new StoredObject("x", 5, "e")),
        ];

        Assert.Equal(revisions.Length, revisions.Distinct().Count());
        Assert.Equal(revisions[0], Revision("s3://models/m/1", new StoredObject("model.onnx", 5, "e")));
    }

    [Theory]
    [InlineData("123456789", "ae8b14860a799888")]
    [InlineData("", "0000000000000000")]
    public void Crc64_OfAKnownText_IsThatOfItsStandard(string text, string expected)
    {
        var crc = new Crc64Nvme();
        crc.Append(System.Text.Encoding.ASCII.GetBytes(text));

        Assert.Equal(expected, crc.Finish());
    }

    private static VersionListing List(params string[] keys) =>
        VersionObjects.Folder(ObjectAddress.Parse("s3://models/m/1")!, keys.Select(static key => new StoredObject(key, 1, "e")), "1");

    private static string Revision(string folder, params StoredObject[] objects) => VersionObjects.Revision(VersionObjects.Folder(ObjectAddress.Parse(folder)!, objects, "1").Files);
}
