using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Aliases;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Cluster.Grains.Registry.Replicas;
using Cluster.Grains.Replication;
using Cluster.Grains.Storage;
using Cluster.Tests.Common;
using Cluster.Unit.Grains;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Formats;

/// <summary>
/// What Redis holds outlives a process, and two versions of the program read it at once. Each file of <c>tests/formats</c> is what one of the formats looks like, every
/// member set. With WRITE_DOCS=1 in the environment, what is new is added; nothing goes or changes.
/// </summary>
public sealed class StoredFormatTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The states of grains, as their storage writes and reads them.</summary>
    [Theory]
    [InlineData(typeof(ModelGrainState), "grain-state-model")]
    [InlineData(typeof(RegistryState), "grain-state-registry")]
    [InlineData(typeof(AliasGrainState), "grain-state-alias")]
    public Task GrainState_Stored_IsWrittenAndReadAsBefore(Type type, string file) =>
        (Task)typeof(StoredFormatTests).GetMethod(nameof(GrainStateAsync), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(type).Invoke(null, [file])!;

    private static Task GrainStateAsync<T>(string file) =>
        CheckAsync(file, GrainStateJson.Write(Filled.Make<T>()), static content => GrainStateJson.Write(GrainStateJson.Read<T>(content)));

    [Fact]
    public Task ServingState_InItsMap_IsWrittenAndReadAsBefore() => EntryAsync<ModelServingState>(
        "map-serving-states",
        static (map, state) => new ReplicatedServingStates(map, NullLogger<ReplicatedServingStates>.Instance).Publish(state),
        static map => new ReplicatedServingStates(map, NullLogger<ReplicatedServingStates>.Instance).All.Single());

    [Fact]
    public Task Registration_InItsMap_IsWrittenAndReadAsBefore() => EntryAsync<ModelRegistration>(
        "map-registrations",
        static (map, registration) => new ReplicatedRegistrations(map, NullLogger<ReplicatedRegistrations>.Instance).Publish(registration),
        static map => new ReplicatedRegistrations(map, NullLogger<ReplicatedRegistrations>.Instance).All.Single());

    [Fact]
    public Task Alias_InItsMap_IsWrittenAndReadAsBefore() => EntryAsync<AliasState>(
        "map-aliases",
        static (map, alias) => new ReplicatedAliases(map, NullLogger<ReplicatedAliases>.Instance).Publish(alias),
        static map => new ReplicatedAliases(map, NullLogger<ReplicatedAliases>.Instance).All.Single());

    [Fact]
    public Task SiloState_InItsMap_IsWrittenAndReadAsBefore()
    {
        var membership = new FakeMembership();
        var silo = Filled.Make<SiloState>();
        membership.Set(silo.Silo, SiloStatus.Active);
        return EntryAsync<SiloState>(
            "map-silo-states",
            (map, state) => new ReplicatedSiloStates(map, membership, NullLogger<ReplicatedSiloStates>.Instance).Publish(state),
            map => new ReplicatedSiloStates(map, membership, NullLogger<ReplicatedSiloStates>.Instance).All.Single());
    }

    /// <summary>A process of another version looks under the same keys.</summary>
    [Fact]
    public void Keys_OfAMap_AreThoseOfBefore()
    {
        var keys = new RedisKeys("blue");

        Assert.Equal(
            ["cluster:{blue}:map/aliases/header", "cluster:{blue}:map/aliases/sequences", "cluster:{blue}:map/aliases/contents",
                "cluster:{blue}:map/aliases/changes", "cluster:{blue}:map/aliases/removals"],
            keys.Map("aliases").Select(static (RedisKey key) => (string)key!));
        Assert.Equal("cluster:{blue}:map/aliases/changed", keys.MapChannel("aliases"));
        Assert.Equal("grain-states", ReplicatedGrainStorage.MapName);
    }

    /// <summary>Redis has them as text, and compares what is expected with it.</summary>
    [Theory]
    [InlineData(0, null, "")]
    [InlineData(1_700_000_000_000_000, "a1b2", "1700000000000000@a1b2")]
    public void Version_OfAnEntry_IsWrittenAsBefore(long sequence, string? life, string expected)
    {
        Assert.Equal(expected, new ReplicaVersion(sequence, life).ToString());
        Assert.Equal(new ReplicaVersion(sequence, life), ReplicaVersion.Parse(expected));
    }

    private static Task EntryAsync<T>(string file, Action<IReplicatedMap, T> publish, Func<IReplicatedMap, T> read)
    {
        var map = new OneEntryMap();
        publish(map, Filled.Make<T>());
        return CheckAsync(file, map.Content, content =>
        {
            map.Content = content;
            var again = new OneEntryMap();
            publish(again, read(map));
            return again.Content;
        });
    }

    /// <param name="written">By this version.</param>
    /// <param name="rewrite">Reads a content and writes what was read.</param>
    private static async Task CheckAsync(string name, byte[] written, Func<byte[], byte[]> rewrite)
    {
        var file = Path.Combine(TestPaths.Root, "tests", "formats", name + ".json");
        var now = Lines(written);
        var known = File.Exists(file) ? await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken) : written;

        Assert.Equal(now, Lines(rewrite(written)));
        var gone = Lines(known).Except(now).ToList();
        Assert.True(gone.Count == 0, $"The version before this one stores what this one does not:\n{string.Join('\n', gone)}\nGive the members back; what is stored has them until it is written again.");
        Assert.Empty(Lines(known).Except(Lines(rewrite(known))));
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(file, JsonNode.Parse(written)!.ToJsonString(Indented) + "\n", TestContext.Current.CancellationToken);
            return;
        }

        var added = File.Exists(file) ? now.Except(Lines(known)).ToList() : now;
        Assert.True(added.Count == 0, $"Not in {file} yet; run WRITE_DOCS=1 ./test unit -class '*StoredFormatTests':\n{string.Join('\n', added)}");
    }

    /// <summary>Each value with its path.</summary>
    private static List<string> Lines(ReadOnlySpan<byte> json)
    {
        var lines = new List<string>();
        Add(JsonNode.Parse(json), "", lines);
        return lines;
    }

    private static void Add(JsonNode? node, string path, List<string> lines)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    Add(value, $"{path}.{name}", lines);
                }

                break;
            case JsonArray items:
                foreach (var (index, item) in items.Index())
                {
                    Add(item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]"), lines);
                }

                break;
            default:
                lines.Add($"{path} = {node?.ToJsonString() ?? "null"}");
                break;
        }
    }

    /// <summary>A map with the entry that was published last.</summary>
    private sealed class OneEntryMap : IReplicatedMap
    {
        private string _key = "any";

        public event Action<string>? Changed
        {
            add => _ = value;
            remove => _ = value;
        }

        public string Name => "one entry";

        public byte[] Content { get; set; } = [];

        public IEnumerable<ReplicatedEntry> All => Content.Length == 0 ? [] : [new ReplicatedEntry(_key, 1, Content, null)];

        public bool TryGet(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ReplicatedEntry? entry) =>
            (entry = key == _key ? All.FirstOrDefault() : null) is not null;

        public void Publish(string key, byte[]? content) => (_key, Content) = (key, content ?? []);

        public ValueTask<ReplicaWrite> WriteAsync(string key, ReplicaVersion expected, byte[]? content, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException("the maps of this test are published to");

        public ValueTask WhenSentAsync(string key, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

        public ValueTask RefreshAsync(string key, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
