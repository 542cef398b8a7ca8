using System.Diagnostics.CodeAnalysis;
using Cluster.Grains.Replication;
using Cluster.Grains.Storage;
using Xunit;

namespace Cluster.Unit.Registry;

public sealed class ReplicatedGrainStorageTests
{
    private static readonly GrainId Grain = GrainId.Create("model", "m");

    private readonly FakeMap _map = new();
    private readonly ReplicatedGrainStorage _storage;
    private readonly GrainState<Kept> _state = new(new Kept { Number = 1 });

    public ReplicatedGrainStorageTests() => _storage = new ReplicatedGrainStorage(_map);

    [Fact]
    public async Task Write_WhatIsStoredAlready_WritesNothing()
    {
        await WriteAsync();
        var etag = _state.ETag;
        await WriteAsync();
        Assert.Equal((1, etag), (_map.Writes, _state.ETag));

        _state.State = new Kept { Number = 2 };
        await WriteAsync();

        Assert.Equal(2, _map.Writes);
        Assert.NotEqual(etag, _state.ETag);
    }

    [Fact]
    public async Task Write_WhatAnotherActivationHasStored_IsInconsistent()
    {
        await WriteAsync();
        _state.ETag = new ReplicaVersion(1, "before").ToString();

        await Assert.ThrowsAsync<InconsistentStateException>(WriteAsync);
    }

    private Task WriteAsync() => _storage.WriteStateAsync("model", Grain, _state);

    public sealed class Kept
    {
        public int Number { get; set; }
    }

    private sealed class FakeMap : IReplicatedMap
    {
        private const string Life = "life";

        private ReplicatedEntry? _entry;

        public event Action<string>? Changed
        {
            add => throw new NotSupportedException();
            remove => throw new NotSupportedException();
        }

        public string Name => "fake";

        public IEnumerable<ReplicatedEntry> All => _entry is null ? [] : [_entry];

        public int Writes { get; private set; }

        public bool TryGet(string key, [NotNullWhen(true)] out ReplicatedEntry? entry) => (entry = _entry) is not null;

        public void Publish(string key, byte[]? content) => throw new NotSupportedException();

        public ValueTask<ReplicaWrite> WriteAsync(string key, ReplicaVersion expected, byte[]? content, CancellationToken cancellationToken = default)
        {
            Writes++;
            if (_entry is not null && _entry.Version != expected)
            {
                return new(new ReplicaWrite(false, _entry.Version));
            }

            _entry = new ReplicatedEntry(key, Writes, content, Life);
            return new(new ReplicaWrite(true, _entry.Version));
        }

        public ValueTask WhenSentAsync(string key, CancellationToken cancellationToken = default) => default;

        public ValueTask RefreshAsync(string key, CancellationToken cancellationToken = default) => default;
    }
}
