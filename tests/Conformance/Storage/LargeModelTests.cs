using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Storage;

/// <summary>A model of 2 GiB in object storage, and a silo that is killed while it reads it.</summary>
public sealed partial class LargeModelTests(ITestOutputHelper output)
{
    private const int Piece = 1 << 20;
    private const long Size = 2L << 30;

    /// <summary>Of the default size, 16 MiB.</summary>
    private const int Parts = 128;

    [Fact, Trait("Category", "Soak")]
    public async Task Model_OfTwoGibibytes_GoesOnAfterAKillAndServes()
    {
        using var folder = ModelFolder.Create();
        var large = Path.Combine(folder.Path, "large.bin");
        Write(large);
        using var file = File.OpenHandle(large);
        await using var server = await S3Server.StartAsync();
        server.PutFolder("models", "prod/digits", Path.Combine(TestPaths.DemoModels, "digits"));
        server.Put("models", "prod/digits/1/large.bin", S3Item.OfFile(file, "0123456789abcdef0123456789abcdef-256"));
        string[] arguments = ["--models", "s3://models/prod", "--storage", Sources(folder.Path, server.Url), "--storage-cache", Path.Combine(folder.Path, "cache"), "--capacity", "unlimited"];

        // A store on the same machine is too fast to be interrupted: from the middle on it waits.
        var (parts, killed) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        server.Fault = call => call.Key.EndsWith("large.bin", StringComparison.Ordinal) && call.Method == "GET" && Interlocked.Increment(ref parts) > Parts / 2 ? new S3Fault { Hold = killed.Task } : null;

        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        await using (var first = ChildProcess.Start([ServerProcess.Program, .. arguments, "--http-port", "0", "--grpc-port", "0"]))
        {
            var port = (await first.LineAsync(Address(), Wait.Limit)).Groups[1].Value;
            await first.LineAsync(Percent(), TimeSpan.FromMinutes(5));
            using var http = new HttpClient();
            var index = await (await http.PostAsync(new Uri($"http://127.0.0.1:{port}/v2/repository/index"), null)).Content.ReadAsStringAsync();
            await first.KillAsync();
            killed.SetResult();
            output.WriteLine($"killed after {clock.GetElapsedTime(start).TotalSeconds:0.0} s; the index said {index}");
            Assert.Matches("\"state\": ?\"LOADING\", ?\"reason\": ?\"downloading [0-9]+ %\"", index);
        }

        var before = Sent(server, 0);
        var calls = server.Calls.Count;
        start = clock.GetTimestamp();
        await using var second = await ServerProcess.StartAsync(arguments);
        using var client = new GrpcInferClient(second.GrpcTarget);
        Assert.Single(await client.InferAsync("digits", [RawTensor.Fp32("image", [1, 1, 28, 28], new float[28 * 28])]));

        var again = Sent(server, calls);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"asked for before the kill {before >> 20} MiB, after it {again >> 20} MiB, served {clock.GetElapsedTime(start).TotalSeconds:0.0} s after the second start"));
        output.WriteLine(string.Join('\n', second.Output.Split('\n').Where(static line => line.Contains("ownload", StringComparison.Ordinal))));
        Assert.InRange(again, Size / 4, Size * 5 / 8);
    }

    private static long Sent(S3Server server, int after) => server.Calls.Skip(after).Where(static call => call.Key.EndsWith("large.bin", StringComparison.Ordinal) && call.Range.Length > 0)
        .Sum(static call => Part().Match(call.Range) is var part ? long.Parse(part.Groups[2].Value, CultureInfo.InvariantCulture) - long.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture) + 1 : 0);

    private static string Sources(string folder, string url)
    {
        File.WriteAllText(Path.Combine(folder, "access"), S3Server.AccessKey);
        File.WriteAllText(Path.Combine(folder, "secret"), S3Server.SecretKey);
        var source = new
        {
            type = "s3",
            bucket = "models",
            prefix = "prod",
            endpoint = url,
            region = S3Server.Region,
            path_style = true,
            access_key_file = Path.Combine(folder, "access"),
            secret_key_file = Path.Combine(folder, "secret"),
        };
        var path = Path.Combine(folder, "storage.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new { minio = source }));
        return path;
    }

    /// <summary>No two pieces are equal, so that one in another's place shows.</summary>
    private static void Write(string path)
    {
        var piece = new byte[Piece];
        new Random(1).NextBytes(piece);
        using var file = File.Create(path);
        for (long offset = 0; offset < Size; offset += Piece)
        {
            BitConverter.TryWriteBytes(piece, offset);
            file.Write(piece);
        }
    }

    [GeneratedRegex(@"Serving REST on http://[^ ]*:(\d+) ")]
    private static partial Regex Address();

    [GeneratedRegex(@"Downloaded [4-5]\d % of s3://models/prod/digits/1")]
    private static partial Regex Percent();

    [GeneratedRegex(@"bytes=(\d+)-(\d+)")]
    private static partial Regex Part();
}
