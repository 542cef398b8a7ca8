using System.Net.Http.Json;
using Cluster.Tests.Common;
using Cluster.Unit.Repository;
using Cluster.Unit.Tracing;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>A whole process that serves what is in object storage.</summary>
public sealed class ServedFromStorageTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private S3Server _server = null!;

    public async ValueTask InitializeAsync() => _server = await S3Server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Repository_InABucket_ServesNoticesANewVersionAndOutlivesTheStore()
    {
        var stop = TestContext.Current.CancellationToken;
        _server.PutFolder(StorageBench.Bucket, "prod/digits", Path.Combine(TestPaths.DemoModels, "digits"));
        var app = await StartAsync();
        using (var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) })
        {
            await http.UntilOkAsync("/v2/models/digits/versions/1/ready", stop);
            using var answer = await http.PostAsJsonAsync(new Uri("/v2/models/digits/infer", UriKind.Relative), Digit(), stop);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(stop));

            _server.PutFolder(StorageBench.Bucket, "prod/digits/2", Path.Combine(TestPaths.DemoModels, "digits", "1"));
            await http.UntilOkAsync("/v2/models/digits/versions/2/ready", stop);
        }

        await app.EndAsync();
        _server.Fault = static _ => new S3Fault { Status = 500, Code = "InternalError" };
        app = await StartAsync();
        using (var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) })
        {
            await http.UntilOkAsync("/v2/models/digits/versions/2/ready", stop);
        }

        await app.EndAsync();
    }

    [Fact]
    public async Task Index_DuringADownload_TellsHowFarItIs()
    {
        var stop = TestContext.Current.CancellationToken;
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var parts = 0;
        _server.PutFolder(StorageBench.Bucket, "prod/digits", Path.Combine(TestPaths.DemoModels, "digits"));
        _server.Put(StorageBench.Bucket, "prod/digits/1/large.bin", StorageBench.Content(17 << 20));
        _server.Fault = call => call is { Method: "GET", Key: "prod/digits/1/large.bin" } && Interlocked.Increment(ref parts) > 8 ? new S3Fault { Hold = goOn.Task } : null;

        // The credentials are where Amazon's tools look first, the store is that of the options.
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", S3Server.AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", S3Server.SecretKey);
        var app = await StartAsync(("ObjectStorage:Endpoint", _server.Url), ("ObjectStorage:Region", S3Server.Region), ("ObjectStorage:PathStyle", "true"));
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var index = "";
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20)))
        {
            using var limit = new CancellationTokenSource(Wait.Limit);
            while (!index.Contains("\"LOADING\",\"reason\":\"downloading 4", StringComparison.Ordinal))
            {
                await timer.WaitForNextTickAsync(limit.Token);
                using var answer = await http.PostAsync(new Uri("/v2/repository/index", UriKind.Relative), null, stop);
                index = await answer.Content.ReadAsStringAsync(stop);
            }
        }

        goOn.SetResult();
        await http.UntilOkAsync("/v2/models/digits/versions/1/ready", stop);
        await app.EndAsync();
    }

    private static object Digit() => new
    {
        inputs = new[] { new { name = "image", shape = new[] { 1, 1, 28, 28 }, datatype = "FP32", data = new float[28 * 28] } },
    };

    private Task<WebApplication> StartAsync(params (string Key, string Value)[] store) => ServeHosts.StartAsync(
    [
        ("Cluster:Models", StorageBench.Root),
        ("Cluster:StorageCache", _folder["cache"]),
        ("Cluster:PollSeconds", "0.1"),
        ("ObjectStorage:PartMiB", "1"),
        ("ObjectStorage:RetryDelay", "00:00:00.001"),
        ("ObjectStorage:MaxRetryDelay", "00:00:00.002"),
        .. store.Length > 0 ? store : [("Cluster:Storage", StorageBench.WriteSources(_folder, _server.Url))],
    ]);
}
