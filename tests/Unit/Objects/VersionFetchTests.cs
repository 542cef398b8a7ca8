using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Objects.Downloads;
using Cluster.Grains.Repository.Versions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>Versions of a store on their way to a folder, and what goes wrong there.</summary>
public sealed class VersionFetchTests : IAsyncLifetime
{
    private const int MiB = 1 << 20;
    private const string Graph = "prod/m/1/model.onnx";
    private const string Weights = "prod/m/1/weights/big.bin";

    private readonly byte[] _weights = StorageBench.Content((3 * MiB) + 17);
    private StorageBench _bench = null!;

    private S3Server Server => _bench.Server;

    private string[] Visible => Directory.GetDirectories(Path.Combine(_bench.CacheFolder, "versions"));

    public async ValueTask InitializeAsync()
    {
        _bench = await StorageBench.StartAsync();
        Server.Put(StorageBench.Bucket, Graph, StorageBench.Content(1000, seed: 2));
        Server.Put(StorageBench.Bucket, Weights, S3Item.InParts(_weights, MiB));
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Version_OfSeveralObjects_IsAFolderWithTheRevisionOfItsContents()
    {
        using var local = await FetchAsync();

        var listing = VersionListing.Of(local.Spec.Source);
        Assert.Equal(["model.onnx", "weights/big.bin"], listing.Files.Select(static file => file.Name));
        Assert.Equal(_weights, await File.ReadAllBytesAsync(listing.Files[1].RealPath, TestContext.Current.CancellationToken));
        Assert.Equal(local.Spec.Source.Revision, new ContentHash().Compute(listing.Files, forget: true));
        var parts = Gets(Weights);
        Assert.Equal(["bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-3145727", "bytes=3145728-3145744"], parts.Select(static call => call.Range).Order(StringComparer.Ordinal));
        Assert.All(parts, static call => Assert.EndsWith("-4\"", call.IfMatch, StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_bench.CacheFolder, "loading")));
    }

    [Fact]
    public async Task Transfer_Cut_GoesOnWhereItWasCut()
    {
        var cuts = 0;
        Server.Fault = call => call is { Method: "GET", Key: Weights, Range: "bytes=1048576-2097151" } && cuts++ == 0 ? new S3Fault { CutAfter = 600_000 } : null;

        using var local = await FetchAsync();

        Assert.Equal(_weights, await ReadWeightsAsync(local));
        var again = Assert.Single(Gets(Weights), static call => call.Range.EndsWith("-2097151", StringComparison.Ordinal) && call.Range != "bytes=1048576-2097151");
        Assert.InRange(long.Parse(again.Range.Split('=', '-')[1], System.Globalization.CultureInfo.InvariantCulture), MiB + 1, MiB + 600_000);
        Assert.True(await _bench.MetricAsync("cluster_storage_retries{reason=\"away\"}") >= 1);
    }

    [Theory]
    [InlineData(503, "SlowDown", "busy")]
    [InlineData(500, "InternalError", "away")]
    public async Task Refusal_ThatPasses_IsTriedAgain(int status, string code, string reason)
    {
        var spec = await _bench.SpecAsync("m");
        var refused = new HashSet<string>();
        Server.Fault = call => refused.Add(call.Method + call.Key + call.Range) ? new S3Fault { Status = status, Code = code } : null;

        using var local = await FetchAsync(spec);

        Assert.Equal(_weights, await ReadWeightsAsync(local));
        Assert.Equal(refused.Count, await _bench.MetricAsync($"cluster_storage_retries{{reason=\"{reason}\"}}"));
    }

    [Fact]
    public async Task Store_ThatStaysAway_FailsTheLoadForNowAndNamesTheAddress()
    {
        var spec = await _bench.SpecAsync("m");
        Server.Fault = static _ => new S3Fault { Status = 503 };

        var failure = await RefusedAsync(spec);

        Assert.Equal(FailureKind.Lost, failure.Kind);
        Assert.Equal("'s3://models/prod/m/1/': object storage asks for fewer requests", failure.Message);
        Assert.Empty(Visible);
        Server.Fault = static _ => null;
        using var local = await FetchAsync(spec);
        Assert.Equal(_weights, await ReadWeightsAsync(local));
    }

    [Fact]
    public async Task Content_ThatIsNotItsChecksum_IsReadTwiceAndNeverShown()
    {
        Server.Put(StorageBench.Bucket, Weights, S3Item.Of(_weights, etag: new string('a', 32)));

        var failure = await RefusedAsync(await _bench.SpecAsync("m"));

        Assert.Equal(FailureKind.None, failure.Kind);
        Assert.Contains("'s3://models/prod/m/1/weights/big.bin' does not have the checksum", failure.Message, StringComparison.Ordinal);
        Assert.Equal(8, Gets(Weights).Count);
        Assert.Empty(Visible);
    }

    [Theory]
    [InlineData("x-amz-checksum-sha256", false)]
    [InlineData("x-amz-checksum-crc64nvme", true)]
    public async Task Checksum_OfTheWholeObject_IsCompared(string header, bool isRight)
    {
        var value = header.EndsWith("sha256", StringComparison.Ordinal) ? Convert.ToBase64String(new byte[32]) : Crc64(_weights);
        Server.Put(StorageBench.Bucket, Weights, S3Item.InParts(_weights, MiB, (header, value)));

        if (isRight)
        {
            using var local = await FetchAsync();
            Assert.Equal(_weights, await ReadWeightsAsync(local));
        }
        else
        {
            Assert.Contains("does not have the checksum", (await RefusedAsync(await _bench.SpecAsync("m"))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ETag_OfAnAnswerThatIsAnother_IsNotComposed()
    {
        var spec = await _bench.SpecAsync("m");
        Server.Fault = call => call is { Method: "GET", Key: Weights, Range: "bytes=2097152-3145727" } ? new S3Fault { ETag = "other" } : null;

        var failure = await RefusedAsync(spec);

        Assert.Contains("another ETag", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Visible);
    }

    [Fact]
    public async Task Object_ReplacedDuringItsDownload_IsNeverShownAndTheNewContentLoads()
    {
        var spec = await _bench.SpecAsync("m");
        var replacement = StorageBench.Content(2 * MiB, seed: 7);
        var replaced = 0;
        Server.Fault = call => call is { Method: "GET", Key: Weights } && Interlocked.Exchange(ref replaced, 1) == 0
            ? new S3Fault { Before = () => Server.Put(StorageBench.Bucket, Weights, replacement) }
            : null;

        var failure = await RefusedAsync(spec);

        Assert.Equal(FailureKind.Lost, failure.Kind);
        Assert.Contains("changed since it was listed", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Visible);
        using var local = await FetchAsync();
        Assert.Equal(replacement, await ReadWeightsAsync(local));
    }

    [Fact]
    public async Task Version_ThatGetsAnObjectDuringItsDownload_IsNotShown()
    {
        var spec = await _bench.SpecAsync("m");
        Server.Fault = call => call is { Method: "GET", Key: Weights }
            ? new S3Fault { Before = () => Server.Put(StorageBench.Bucket, "prod/m/1/more.bin", [1]) }
            : null;

        var failure = await RefusedAsync(spec);

        Assert.Contains("holds other content now than was registered", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Visible);
    }

    [Fact]
    public async Task Download_EndedInTheMiddle_GoesOnAfterARestart()
    {
        var spec = await _bench.SpecAsync("m");
        var held = new TaskCompletionSource();
        Server.Fault = call => call is { Method: "GET", Key: Weights, Range: "bytes=3145728-3145744" or "bytes=0-1048575" } ? null
            : call is { Method: "GET", Key: Weights } ? new S3Fault { Hold = held.Task } : null;
        using var stop = new CancellationTokenSource();
        var fetching = _bench.Fetch.FetchAsync(spec, null, stop.Token);
        await UntilAsync(() => JournalMarks() == 2);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetching);
        Assert.Empty(Visible);
        await UntilAsync(() => IsFree("*.part"));

        _bench.Open();
        Server.Fault = static _ => null;
        var before = Gets(Weights).Count;
        using var local = await FetchAsync(spec);

        Assert.Equal(_weights, await ReadWeightsAsync(local));
        Assert.Equal(["bytes=1048576-2097151", "bytes=2097152-3145727"], Gets(Weights).Skip(before).Select(static call => call.Range).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Loads_OfOneVersion_ShareADownload()
    {
        var spec = await _bench.SpecAsync("m");

        var locals = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _bench.Fetch.FetchAsync(spec, null, CancellationToken.None)));

        Assert.Equal(4, Gets(Weights).Count);
        Assert.All(locals, local => Assert.Equal(locals[0].Spec.Source.Path, local.Spec.Source.Path));
        Array.ForEach(locals, static local => local.Dispose());
    }

    [Fact]
    public async Task Version_InTheCache_LoadsWhileTheStoreIsAwayAlsoAfterARestart()
    {
        var spec = await _bench.SpecAsync("m");
        (await FetchAsync(spec)).Dispose();
        Server.Fault = static _ => new S3Fault { Status = 500 };
        _bench.Open();

        using var local = await FetchAsync(spec);

        Assert.Equal(_weights, await ReadWeightsAsync(local));
        Assert.Equal(1, await _bench.MetricAsync("cluster_storage_cache_hits"));
    }

    [Fact]
    public async Task File_ChangedInTheCache_IsDroppedAndReadAnew()
    {
        var spec = await _bench.SpecAsync("m");
        using (var local = await FetchAsync(spec))
        {
            Assert.False(local.DropIfDamaged());
            var path = Path.Combine(Path.GetDirectoryName(local.Spec.Source.Path)!, "weights/big.bin");
            await using (var file = File.OpenWrite(path))
            {
                file.WriteByte((byte)~_weights[0]);
            }

            Assert.True(local.DropIfDamaged());
        }

        using var again = await FetchAsync(spec);
        Assert.Equal(_weights, await ReadWeightsAsync(again));
    }

    [Fact]
    public async Task Cache_Full_RemovesTheLongestUnusedAndNeverWhatIsHeld()
    {
        _bench.Options.CacheMiB = 7;
        foreach (var (model, seed) in (ReadOnlySpan<(string, int)>)[("a", 1), ("b", 2), ("c", 3)])
        {
            Server.Put(StorageBench.Bucket, $"prod/{model}/1/model.onnx", StorageBench.Content(3 * MiB, seed));
        }

        using var held = await FetchAsync(await _bench.SpecAsync("a"));
        (await FetchAsync(await _bench.SpecAsync("b"))).Dispose();
        (await FetchAsync(await _bench.SpecAsync("c"))).Dispose();

        Assert.True(File.Exists(held.Spec.Source.Path));
        Assert.Equal(2, Visible.Length);
        Assert.Equal(1, await _bench.MetricAsync("cluster_storage_cache_evictions"));
        Assert.Equal(6 * MiB, await _bench.MetricAsync("cluster_storage_cache_bytes"));

        // What is held leaves no room: the load waits for its end.
        using var second = await FetchAsync(await _bench.SpecAsync("b"));
        var waiting = FetchAsync(await _bench.SpecAsync("c"));
        Assert.False(waiting.IsCompleted);
        held.Dispose();
        (await waiting.Soon()).Dispose();
    }

    [Fact]
    public async Task Version_LargerThanAllowed_IsRefusedBeforeAByteIsRead()
    {
        var spec = await _bench.SpecAsync("m");
        _bench.Limits.MaxVersionBytes = 2 * MiB;
        Assert.Contains("Models:MaxVersionBytes allows 2097152", (await RefusedAsync(spec)).Message, StringComparison.Ordinal);
        _bench.Limits.MaxVersionBytes = long.MaxValue;
        _bench.Options.CacheMiB = 1;
        Assert.Contains("ObjectStorage:CacheMiB allows no more", (await RefusedAsync(spec)).Message, StringComparison.Ordinal);

        Assert.Empty(Gets(Weights));
    }

    [Fact]
    public async Task Address_OutsideOfTheSources_IsNotAskedFor()
    {
        var spec = await _bench.SpecAsync("m");
        var before = Server.Calls.Count;

        var failure = await RefusedAsync(spec with { Source = spec.Source with { Path = "s3://models/other/m/1/model.onnx" } });

        Assert.Equal("'s3://models/other/m/1/model.onnx' is in no storage source of this silo", failure.Message);
        Assert.Equal(before, Server.Calls.Count);
    }

    [Fact]
    public async Task Credentials_ThatAreRefused_StandInNoMessageOrLog()
    {
        var spec = await _bench.SpecAsync("m");
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(_bench.Options.Sources)!, "secret"), "wrong-secret-text", TestContext.Current.CancellationToken);
        _bench.Open();

        var failure = await RefusedAsync(spec);

        Assert.Equal("'s3://models/prod/m/1/': object storage denies access", failure.Message);
        Assert.DoesNotContain(_bench.Logged.Append(failure.Message), static line => line.Contains(S3Server.AccessKey, StringComparison.Ordinal) || line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Progress_OfALargeVersion_IsToldInTenths()
    {
        Server.Put(StorageBench.Bucket, Weights, StorageBench.Content(20 * MiB));
        var told = new List<int>();

        using var local = await _bench.Fetch.FetchAsync(
            await _bench.SpecAsync("m"),
            percent =>
            {
                lock (told)
                {
                    told.Add(percent);
                }
            },
            CancellationToken.None);

        Assert.InRange(told.Count, 9, 12);
        Assert.Equal(100, told.Max());
    }

    private static string Crc64(byte[] content)
    {
        var crc = new Crc64Nvme();
        crc.Append(content);
        return Convert.ToBase64String(Convert.FromHexString(crc.Finish()));
    }

    private static Task<byte[]> ReadWeightsAsync(LocalVersion local) =>
        File.ReadAllBytesAsync(Path.Combine(Path.GetDirectoryName(local.Spec.Source.Path)!, "weights/big.bin"), TestContext.Current.CancellationToken);

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (!isSo())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private List<S3Call> Gets(string key) => [.. Server.Calls.Where(call => call.Method == "GET" && call.Key == key)];

    /// <summary>Parts of the weights, the version's second file, that are there; the first file's journal comes and goes.</summary>
    private int JournalMarks() => Directory.GetFiles(_bench.CacheFolder, "1-*.parts", SearchOption.AllDirectories).Sum(static path => ReadShared(path).Count(static mark => mark == 1));

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    private bool IsFree(string pattern) => Directory.GetFiles(_bench.CacheFolder, pattern, SearchOption.AllDirectories).All(static path =>
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    });

    private async Task<LocalVersion> FetchAsync(ReplicaSpec? spec = null) => await _bench.Fetch.FetchAsync(spec ?? await _bench.SpecAsync("m"), null, TestContext.Current.CancellationToken).Soon();

    private async Task<Failure> RefusedAsync(ReplicaSpec spec) =>
        (await Assert.ThrowsAsync<ServingException>(() => _bench.Fetch.FetchAsync(spec, null, TestContext.Current.CancellationToken)).Soon()).Failure;
}
