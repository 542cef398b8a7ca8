using Cluster.Grains.Repository;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class ConfigSourceTests : RepositoryTestBase
{
    private readonly FileModelRepository _repository;

    public ConfigSourceTests()
    {
        Models.Write("store/a/1/model.onnx", "a");
        Models.Write("store/b/1/model.onnx", "b");
        Models.MakeFolder("models");
        _repository = Open(Models["models"], Models["config.json"]);
    }

    [Fact]
    public void Scan_ModelsAddedChangedAndRemoved_AreFollowed()
    {
        Configure(("a", "store/a", ""));
        var first = _repository.Scan();

        Configure(("a", "store/a", "\"nireq\": 3"), ("b", Models["store/b"], ""));
        var second = _repository.Scan();
        Configure(("b", Models["store/b"], ""));
        var third = _repository.Scan();

        Assert.Equal(["a"], first.Models.Keys);
        Assert.Equal(["a", "b"], second.Models.Keys);
        Assert.Equal(3, second.Models["a"].Settings.Concurrency);
        Assert.Same(Only(first, "a"), Only(second, "a"));
        Assert.Equal(["b"], third.Models.Keys);
        Assert.Same(second.Models["b"], third.Models["b"]);
    }

    [Fact]
    public void Scan_PolicyNamesAVersionThatIsNotThere_WarnsOfIt()
    {
        Configure(("m", "store/a", "\"model_version_policy\": {\"specific\": {\"versions\": [1, 9]}}"));

        Assert.Equal(["model 'm': its version policy names version 9, which is not there"], _repository.Scan().Warnings);
    }

    [Fact]
    public void Scan_BasePathChanged_ServesTheOtherFolder()
    {
        Configure(("m", "store/a", ""));
        var before = Only(_repository.Scan());

        Configure(("m", "store/b", ""));
        var after = Only(_repository.Scan());

        Assert.Equal(Models["store/b/1/model.onnx"], after.Path);
        Assert.NotEqual(before.Revision, after.Revision);
    }

    [Theory]
    [InlineData(null, "no such file")]
    [InlineData("{", "line 1: not valid JSON")]
    [InlineData("""{"model_config_list": [], "colour": 1}""", "unknown key 'colour'")]
    public void Scan_ConfigurationWrongAtStart_Throws(string? text, string expected)
    {
        if (text is not null)
        {
            Models.Write("config.json", text);
        }

        var exception = Assert.Throws<RepositoryConfigurationException>(_repository.Scan);

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{")]
    [InlineData("""{"model_config_list": [], "colour": 1}""")]
    public void Scan_ConfigurationBecomesWrong_TheLastValidOneStays(string? text)
    {
        Configure(("a", "store/a", ""));
        var before = _repository.Scan();

        File.Delete(Models["config.json"]);
        if (text is not null)
        {
            Models.Write("config.json", text);
        }

        var wrong = _repository.Scan();
        var stillWrong = _repository.Scan();
        Models.Write("store/a/2/model.onnx", "newer");
        var newVersion = _repository.Scan();
        Configure(("a", "store/a", ""));
        var right = _repository.Scan();

        Assert.Same(before.Models["a"], wrong.Models["a"]);
        Assert.Contains("the last valid one stays", Assert.Single(wrong.Problems), StringComparison.Ordinal);
        Assert.Same(wrong, stillWrong);
        Assert.Equal(2, newVersion.Models["a"].Versions.Length);
        Assert.Empty(right.Problems);
    }

    [Fact]
    public void Scan_BasePathIsAnOnnxFile_IsVersionOne()
    {
        Models.Write("net.onnx", "x");
        Configure(("m", "net.onnx", ""));
        var before = Only(_repository.Scan());

        Models.Write("net.onnx", "longer");
        var after = Only(_repository.Scan());

        Assert.Equal((1L, Models["net.onnx"]), (before.Version, before.Path));
        Assert.Null(before.Problem);
        Assert.NotEqual(before.Revision, after.Revision);
    }

    [Theory]
    [InlineData("net.xml", "no .onnx file")]
    [InlineData("nowhere", "there is no folder")]
    [InlineData("empty", "no version folder")]
    public void Scan_BasePathWithoutVersions_IsAProblem(string path, string expected)
    {
        Models.Write("net.xml", "x");
        Models.MakeFolder("empty");
        Configure(("m", path, ""), ("a", "store/a", ""));

        var snapshot = _repository.Scan();

        Assert.Contains(expected, snapshot.Models["m"].Problem, StringComparison.Ordinal);
        Assert.Empty(snapshot.Models["m"].Versions);
        Assert.Null(snapshot.Models["a"].Problem);
    }

    [Fact]
    public void Scan_BasePathVanishes_VersionsStayListed()
    {
        Configure(("a", "store/a", ""));
        var before = _repository.Scan();

        Directory.Move(Models["store"], Models["away"]);
        var after = _repository.Scan();

        Assert.Contains("no folder", after.Models["a"].Problem, StringComparison.Ordinal);
        Assert.Same(Only(before, "a"), Only(after, "a"));
    }

    [Fact]
    public void Scan_LinkOutOfTheBasePath_IsRefused()
    {
        Models.Link("store/a/2", Models["store/b/1"]);
        Models.Link("alias", "store/b");
        Configure(("a", "store/a", ""), ("b", "alias", ""));

        var snapshot = _repository.Scan();

        Assert.Contains("leads out", snapshot.Models["a"].Versions[1].Problem, StringComparison.Ordinal);
        Assert.Null(snapshot.Models["a"].Versions[0].Problem);
        Assert.Equal(Models["store/b/1/model.onnx"], Only(snapshot, "b").Path);
    }

    [Fact]
    public void Scan_ModelJsonInABasePath_IsNotRead()
    {
        Models.Write("store/a/model.json", """{"concurrency": 7}""");
        Configure(("a", "store/a", ""));

        var snapshot = _repository.Scan();

        Assert.Equal(0, snapshot.Models["a"].Settings.Concurrency);
        Assert.Contains("model.json", Assert.Single(snapshot.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_NameInBothSources_TheConfigurationWins()
    {
        Models.Write("models/a/1/model.onnx", "x");
        Models.Write("models/c/1/model.onnx", "x");
        Configure(("a", "store/a", ""));

        var snapshot = _repository.Scan();

        Assert.Equal(["a", "c"], snapshot.Models.Keys);
        Assert.Equal(Models["store/a/1/model.onnx"], Only(snapshot, "a").Path);
        Assert.Contains("model 'a': its folder is ignored", Assert.Single(snapshot.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_ModelWithAProblemInItsSettings_StillListsItsVersions()
    {
        Configure(("a", "store/a", "\"target_device\": \"TPU\""));

        var model = _repository.Scan().Models["a"];

        Assert.Contains("supported are", model.Problem, StringComparison.Ordinal);
        Assert.Null(Assert.Single(model.Versions).Problem);
    }

    private void Configure(params (string Name, string BasePath, string Keys)[] models)
    {
        var entries = models.Select(model =>
            $$$"""{"config": {"name": "{{{model.Name}}}", "base_path": "{{{model.BasePath}}}"{{{(model.Keys.Length > 0 ? ", " : "")}}}{{{model.Keys}}}}}""");
        Models.Write("config.json", $$"""{"model_config_list": [{{string.Join(',', entries)}}]}""");
    }
}
