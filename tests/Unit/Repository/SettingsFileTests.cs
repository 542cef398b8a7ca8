using Cluster.Contracts.Models;
using Xunit;

namespace Cluster.Unit.Repository;

public sealed class SettingsFileTests : RepositoryTestBase
{
    public SettingsFileTests()
    {
        Models.Write("m/1/model.onnx", "x");
        Models.Write("other/1/model.onnx", "x");
    }

    [Fact]
    public void Scan_SettingsAppearChangeAndGo_AreFollowed()
    {
        var repository = Open();
        var without = repository.Scan().Models["m"];

        Models.Write("m/model.json", """{"concurrency": 2, "version_policy": {"all": {}}}""");
        var with = repository.Scan().Models["m"];
        Models.Write("m/model.json", """{"concurrency": 32, "version_policy": {"all": {}}}""");
        var changed = repository.Scan().Models["m"];
        File.Delete(Models["m/model.json"]);
        var gone = repository.Scan().Models["m"];

        Assert.Equal([0, 2, 32, 0], new[] { without, with, changed, gone }.Select(model => model.Settings.Concurrency));
        Assert.Equal(VersionPolicyKind.All, with.VersionPolicy.Kind);
        Assert.Equal(without.SettingsRevision, gone.SettingsRevision);
        Assert.Equal(3, new[] { without, with, changed }.Select(model => model.SettingsRevision).Distinct().Count());
        Assert.All(new[] { with, changed, gone }, model => Assert.Same(without.Versions[0], model.Versions[0]));
    }

    [Fact]
    public void Scan_NumberOfCopiesOrPolicyChanges_IsReportedAndNoReasonToLoadAnew()
    {
        var repository = Open();
        Models.Write("m/model.json", """{"concurrency": 2}""");
        var before = repository.Scan().Models["m"];
        Models.Write("m/model.json", """{"concurrency": 2, "min_copies": 2, "max_copies": 3, "version_policy": {"all": {}}}""");
        var after = repository.Scan().Models["m"];

        Assert.Equal((2, 3, VersionPolicyKind.All), (after.Settings.MinCopies, after.Settings.MaxCopies, after.VersionPolicy.Kind));
        Assert.Equal(before.SettingsRevision, after.SettingsRevision);
    }

    [Fact]
    public void Scan_SettingsTouched_KeepTheInstance()
    {
        var path = Models.Write("m/model.json", """{"concurrency": 2}""");
        var repository = Open();
        var before = repository.Scan();

        File.WriteAllText(path, """{ "concurrency": 2 }""");

        Assert.Same(before, repository.Scan());
    }

    [Fact]
    public void Scan_SettingsWrongAtStart_AreAProblemOfThatModelAlone()
    {
        Models.Write("m/model.json", """{"concurrency": 0.5, "colour": 1}""");

        var snapshot = Open().Scan();

        var model = snapshot.Models["m"];
        Assert.StartsWith("model.json: line 1: 'concurrency' is 0.5", model.Problem, StringComparison.Ordinal);
        Assert.Contains("unknown key 'colour'", model.Problem, StringComparison.Ordinal);
        Assert.Same(ModelSettings.Default, model.Settings);
        Assert.Null(Assert.Single(model.Versions).Problem);
        Assert.Null(snapshot.Models["other"].Problem);
    }

    [Fact]
    public void Scan_SettingsBecomeWrongAndRightAgain_TheLastGoodOnesStayMeanwhile()
    {
        Models.Write("m/model.json", """{"concurrency": 2}""");
        var repository = Open();
        var good = repository.Scan().Models["m"];

        Models.Write("m/model.json", """{"concurrency": """);
        var wrong = repository.Scan().Models["m"];
        var stillWrong = repository.Scan().Models["m"];
        Models.Write("m/model.json", """{"concurrency": 2}""");
        var right = repository.Scan().Models["m"];

        Assert.Contains("not valid JSON", wrong.Problem, StringComparison.Ordinal);
        Assert.Same(wrong, stillWrong);
        Assert.Equal(good.Settings, wrong.Settings);
        Assert.Equal(good.SettingsRevision, wrong.SettingsRevision);
        Assert.Null(right.Problem);
        Assert.Equal(good.SettingsRevision, right.SettingsRevision);
    }

    [Fact]
    public void Scan_SettingsAreAFolderOrHuge_AreAProblem()
    {
        Models.MakeFolder("m/model.json");
        Models.Write("other/model.json", new string(' ', (1024 * 1024) + 1));

        var snapshot = Open().Scan();

        Assert.Contains("not a file", snapshot.Models["m"].Problem, StringComparison.Ordinal);
        Assert.Contains("larger than", snapshot.Models["other"].Problem, StringComparison.Ordinal);
    }
}
