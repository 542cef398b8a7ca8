using System.Text;
using System.Text.Json;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;
using Xunit;

namespace Cluster.Unit.Repository;

/// <summary>docs/model.schema.json says what the reader does.</summary>
public sealed class ModelSchemaTests
{
    private static readonly JsonElement Properties = Load().GetProperty("properties");

    [Fact]
    public void Properties_AreTheKeysOfTheReader()
    {
        Assert.Equal(ModelSettingsReader.Keys.Order(), Properties.EnumerateObject().Select(property => property.Name).Order());
        Assert.False(Load().GetProperty("additionalProperties").GetBoolean());
        Assert.Equal(
            VersionPolicyReader.Keys.Order(),
            Properties.GetProperty("version_policy").GetProperty("properties").EnumerateObject().Select(property => property.Name).Order());
    }

    [Fact]
    public void ProviderOptions_AreTheKeysOfTheReader()
    {
        var options = Properties.GetProperty("provider_options");

        Assert.Equal(ProviderOptionsReader.Keys.Order(), options.GetProperty("properties").EnumerateObject().Select(static property => property.Name).Order());
        Assert.False(options.GetProperty("additionalProperties").GetBoolean());
        foreach (var option in options.GetProperty("properties").EnumerateObject())
        {
            Assert.True(IsAccepted("provider_options", $$"""{"{{option.Name}}": {{option.Value.GetProperty("default").GetRawText()}}}"""), option.Name);
        }
    }

    [Fact]
    public void Batching_IsThatOfTheReader()
    {
        var batching = Properties.GetProperty("batching");

        Assert.Equal(BatchingReader.Keys.Order(), batching.GetProperty("properties").EnumerateObject().Select(static property => property.Name).Order());
        var size = batching.GetProperty("properties").GetProperty("max_size");
        Assert.Equal((2, BatchingReader.MaxSize), (size.GetProperty("minimum").GetInt32(), size.GetProperty("maximum").GetInt32()));
        Assert.Equal(BatchingReader.MaxDelayMicroseconds, batching.GetProperty("properties").GetProperty("max_delay_microseconds").GetProperty("maximum").GetInt32());
    }

    [Theory]
    [InlineData("priority_levels")]
    [InlineData("queue_delay_ms")]
    [InlineData("response_cache_mib")]
    [InlineData("concurrency")]
    [InlineData("queue_limit")]
    [InlineData("queue_mib")]
    [InlineData("run_memory_mib")]
    [InlineData("intra_op_threads")]
    [InlineData("max_batch_size")]
    [InlineData("min_copies")]
    [InlineData("max_copies")]
    public void Range_IsThatOfTheReader(string key)
    {
        var property = Properties.GetProperty(key);
        var min = property.GetProperty("minimum").GetInt64();
        var max = property.GetProperty("maximum").GetInt64();

        Assert.True(IsAccepted(key, $"{min}"));
        Assert.True(IsAccepted(key, $"{max}"));
        Assert.False(IsAccepted(key, $"{min - 1}"));
        Assert.False(IsAccepted(key, $"{max + 1}"));
    }

    [Theory]
    [InlineData("execution_provider", typeof(Contracts.Models.ExecutionProvider))]
    [InlineData("graph_optimization", typeof(Contracts.Models.GraphOptimization))]
    [InlineData("performance_hint", typeof(Contracts.Models.PerformanceHint))]
    public void Enum_IsThatOfTheReader(string key, Type type)
    {
        var values = Properties.GetProperty(key).GetProperty("enum").EnumerateArray().Select(value => value.GetString()!).ToList();

        Assert.Equal(Enum.GetNames(type).Select(name => name.ToLowerInvariant()).Order(), values.Order());
        Assert.All(values, value => Assert.True(IsAccepted(key, $"\"{value}\"")));
    }

    [Fact]
    public void Defaults_ChangeNothing()
    {
        foreach (var property in Properties.EnumerateObject())
        {
            if (property.Value.TryGetProperty("default", out var value))
            {
                var definition = ModelSettingsReader.Read(Encoding.UTF8.GetBytes($$"""{"{{property.Name}}": {{value.GetRawText()}}}"""), new JsonErrors());
                Assert.Equal(ModelDefinition.Default.Revision, definition?.Revision);
            }
        }
    }

    private static bool IsAccepted(string key, string value) =>
        ModelSettingsReader.Read(Encoding.UTF8.GetBytes($$"""{"{{key}}": {{value}}}"""), new JsonErrors()) is not null;

    private static JsonElement Load()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        }

        return JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.FullName, "docs", "model.schema.json"))).RootElement;
    }
}
