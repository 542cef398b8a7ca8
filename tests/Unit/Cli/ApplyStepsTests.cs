using System.Text.Json.Nodes;
using Cluster.Contracts.Protocol.Mesh;
using Xunit;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Unit.Cli;

/// <summary>Which steps <c>apply</c> takes, by what there is, and what a step asks of a gateway.</summary>
public sealed class ApplyStepsTests : IAsyncLifetime
{
    private const string Model = """{"models":{"m":{"path":"v1"}}}""";
    private const string Alias = """{"aliases":{"a":"m"}}""";
    private const string Rule = """{"aliases":{"a":{"model":"m","traffic":{"candidate":"n","percent":5}}}}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-apply-");
    private FakeGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await FakeGateway.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(Status.Loaded, "", "")]
    [InlineData(Status.NotLoaded, "--wait", "")]
    [InlineData(Status.Loading, "", "")]
    [InlineData(Status.Loading, "--wait", "retry model m")]
    [InlineData(Status.LoadingFailed, "", "retry model m")]
    [InlineData(Status.LoadingFailed, "--wait", "retry model m")]
    public async Task AModelThatIsThere_IsTriedAgainWhereItFailedOrIsWaitedFor(Status status, string option, string expected)
    {
        AddModel("m", "v1", status);

        Assert.Equal(expected, await ApplyAsync(Model, option));
        Assert.Equal(expected.Length > 0 ? [new EnsureLoadedRequest { ModelId = "m", Sync = option.Length > 0 }] : [], _gateway.Calls);
    }

    /// <summary>A change of the bounds alone takes no other step, also where an alias leads to the model.</summary>
    [Theory]
    [InlineData("""{"warm_up":false}""", "", """{"warm_up":false,"min_copies":2}""", """{"min_copies":2,"max_copies":0}""")]
    [InlineData("""{"min_copies":2,"max_copies":4}""", "", """{"max_copies":3}""", """{"min_copies":1,"max_copies":3}""")]
    [InlineData("""{"min_copies":2,"max_copies":4}""", "3", """{"max_copies":4,"min_copies":2}""", """{"min_copies":null,"max_copies":null}""")]
    [InlineData("""{"min_copies":2,"max_copies":4}""", "3", """{"max_copies":4,"min_copies":3}""", "")]
    [InlineData("", "3", "", """{"min_copies":null,"max_copies":null}""")]
    [InlineData("", "", "", "")]
    public async Task AModelWithOtherReplicaBounds_IsScaled(string key, string scaled, string settings, string expected)
    {
        AddModel("m", "v1", Status.Loaded);
        _gateway.Models[0].ModelInfo.Key = key;
        _gateway.Models[0].VModelIds.Add("a");
        if (scaled.Length > 0)
        {
            _gateway.Models[0].MinCopies = uint.Parse(scaled, System.Globalization.CultureInfo.InvariantCulture);
        }

        var step = await ApplyAsync(settings.Length == 0 ? Model : $$$"""{"models":{"m":{"path":"v1","settings":{{{settings}}} } } }""", "");

        Assert.Equal(expected.Length > 0 ? "change replicas m" : "", step);
        Assert.Equal(expected.Length > 0 ? [$"/v2/repository/models/m/scale {expected}"] : [], _gateway.Posts);
        Assert.Empty(_gateway.Calls);
    }

    [Theory]
    [InlineData(AliasStatus.Defined, "--wait", "")]
    [InlineData(AliasStatus.Transitioning, "", "")]
    [InlineData(AliasStatus.Transitioning, "--wait", "retry alias a")]
    [InlineData(AliasStatus.Transitioning, "--prune", "retry alias a")]
    [InlineData(AliasStatus.TransitionFailed, "", "retry alias a")]
    public async Task AnAliasThatIsSetSo_IsTriedAgainWhereItFailedOrIsWaitedFor(AliasStatus status, string option, string expected)
    {
        AddAlias("m", status);

        Assert.Equal(expected, await ApplyAsync(Alias, option));
        Assert.Equal(
            expected.Length > 0 ? [new SetVModelRequest { VModelId = "a", TargetModelId = "m", ExpectedTargetModelId = "m", LoadNow = option == "--wait", Sync = option.Length > 0 }] : [],
            _gateway.Calls);
    }

    [Theory]
    [InlineData("active", "--wait", "")]
    [InlineData("rolled_back", "--wait", "")]
    [InlineData("loading", "", "")]
    [InlineData("loading", "--wait", "retry traffic a")]
    [InlineData("load_failed", "", "retry traffic a")]
    public async Task ARuleThatIsThere_IsTriedAgainWhereItsCandidateFailed(string state, string option, string expected)
    {
        AddAlias("m", AliasStatus.Defined);
        _gateway.Traffic = new JsonObject
        {
            ["state"] = state,
            ["rule"] = JsonNode.Parse("""
                {"candidate":"n","percent":5,"shadow":false,"sticky_id":false,"absolute_tolerance":1e-5,"relative_tolerance":1e-3,"max_error_rate":0.05,"min_requests":100,"window_seconds":60}
                """),
        };

        Assert.Equal(expected, await ApplyAsync(Rule, option));
    }

    [Theory]
    [InlineData("", "m")]
    [InlineData("before", "before")]
    public async Task AnAlias_MovesFromWhereItWasSeen_OrIsNotThere(string seen, string expected)
    {
        if (seen.Length > 0)
        {
            AddAlias(seen, AliasStatus.Defined);
        }

        Assert.Equal(seen.Length > 0 ? "change alias a" : "add alias a", await ApplyAsync(Alias, ""));
        Assert.Equal([new SetVModelRequest { VModelId = "a", TargetModelId = "m", ExpectedTargetModelId = expected }], _gateway.Calls);
    }

    [Theory]
    [InlineData("team-a", "m", "alias 'a' has the owner 'team-b', expected 'team-a'; a new alias alone is given an owner")]
    [InlineData("", "", "alias 'a' leads to a model that this client may not see; expected the right to read that model")]
    public async Task AnAliasThatCannotBeChanged_IsRefusedBeforeTheFirstStep(string owner, string target, string expected)
    {
        AddAlias(target, AliasStatus.Defined, "team-b");
        var run = await RunAsync(Model[..^1] + $$""","aliases":{"a":{"owner":"{{owner}}","model":"m"} } }""", "");

        Assert.Equal((1, $"error: {expected}\n"), (run.ExitCode, run.Error));
        Assert.Empty(_gateway.Calls);
    }

    [Fact]
    public async Task Prune_WaitsForMoves_AndKeepsWhatAliasesOfTheFileLeadTo()
    {
        AddModel("m", "v1", Status.Loaded);
        AddModel("n", "v2", Status.Loaded);
        AddModel("old", "v0", Status.Loaded);
        AddAlias("old", AliasStatus.Defined);

        Assert.Equal("change alias a, add traffic a, remove model old", await ApplyAsync(Rule, "--prune"));
        Assert.Equal(
            [new SetVModelRequest { VModelId = "a", TargetModelId = "m", ExpectedTargetModelId = "old", Sync = true }, new UnregisterModelRequest { ModelId = "old" }],
            _gateway.Calls);

        _gateway.Calls.Clear();
        Assert.Equal("change alias a, remove model n, remove model old", await ApplyAsync(Alias, "--prune"));
        Assert.True(Assert.IsType<SetVModelRequest>(_gateway.Calls[0]).Sync);
    }

    [Fact]
    public async Task AChangedModel_ThatIsRefused_HasItsFormerContentAgain()
    {
        AddModel("m", "v0", Status.Loaded);
        _gateway.Refusal = static request => request is RegisterModelRequest { ModelInfo.Path: "v1" } ? "no such folder" : null;

        var run = await RunAsync(Model, "--wait");

        Assert.Equal((1, "error: no such folder; model 'm' is registered with its former content\n"), (run.ExitCode, run.Error));
        Assert.Equal(
            [
                new UnregisterModelRequest { ModelId = "m" },
                new RegisterModelRequest { ModelId = "m", ModelInfo = Info("v1") },
                new UnregisterModelRequest { ModelId = "m" },
                new RegisterModelRequest { ModelId = "m", ModelInfo = Info("v0"), LoadNow = true },
            ],
            _gateway.Calls);
    }

    [Fact]
    public async Task AChangedModel_WhoseFormerContentIsRefusedToo_IsTold()
    {
        AddModel("m", "v0", Status.NotLoaded);
        _gateway.Refusal = static request => request is RegisterModelRequest ? "no store" : null;

        var run = await RunAsync(Model, "");

        Assert.Equal((1, "error: no store; its former content, onnx v0, is not registered either: no store\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task AChangedModel_ThatMayNotBeUnregistered_IsLeftAlone()
    {
        AddModel("m", "v0", Status.NotLoaded);
        _gateway.Refusal = static request => request is UnregisterModelRequest ? "may not change 'm'" : null;

        var run = await RunAsync(Model, "");

        Assert.Equal((1, "error: may not change 'm'\n"), (run.ExitCode, run.Error));
        Assert.Single(_gateway.Calls);
    }

    private static ModelInfo Info(string path) => new() { Type = "onnx", Path = path };

    private void AddModel(string name, string path, Status status) => _gateway.Models.Add(new ModelEntry
    {
        ModelId = name,
        Origin = ModelEntry.Types.Origin.Registered,
        ModelInfo = Info(path),
        Status = new ModelStatusInfo { Status = status },
    });

    private void AddAlias(string target, AliasStatus status, string owner = "") =>
        _gateway.Aliases.Add(new VModelEntry { VModelId = "a", Status = new VModelStatusInfo { Status = status, ActiveModelId = "before", TargetModelId = target, Owner = owner } });

    private Task<CliRun> RunAsync(string manifest, params string[] options)
    {
        var file = Path.Combine(_folder.FullName, "manifest.json");
        File.WriteAllText(file, manifest);
        return _gateway.RunAsync(["apply", "-f", file, .. options.Where(static option => option.Length > 0)]);
    }

    /// <returns>The steps that were taken.</returns>
    private async Task<string> ApplyAsync(string manifest, string option)
    {
        var run = await RunAsync(manifest, option, "-o", "json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return string.Join(", ", JsonNode.Parse(run.Output)!.AsArray().Select(static step => $"{step!["change"]} {step["what"]} {step["name"]}"));
    }
}
