using System.IO.Pipes;
using System.Net;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Audit;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

public sealed class AuditLogTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-audit-");
    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger<AuditLog> _log = new();

    private string File => Path.Combine(_folder.FullName, "audit.log");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Write_ChangesAndRefusals_AreLinesAndInferenceIsNot()
    {
        var lines = await WriteAsync(new AuditOptions { File = File }, audit =>
        {
            audit.Write(Request("/v2/repository/models/m/load"), RouteAccess.Manage, Known("m"));
            audit.Write(Request("/v2/models/m/infer"), RouteAccess.Infer, Known("m"));
            audit.Write(Request("/v2/models/m"), RouteAccess.Read, null, new Failure(StatusCode.Unauthenticated, "no key"));
            audit.Write(Request("/v2/models/m"), RouteAccess.Read, null, new Failure(StatusCode.Unauthenticated, "no key"));
        });

        Assert.Equal(["manage", "read"], lines.Select(static line => line.GetProperty("action").GetString()));
        Assert.Equal(("m", "192.0.2.7", "200"), (lines[0].GetProperty("model").GetString(), lines[0].GetProperty("address").GetString(), lines[0].GetProperty("result").GetString()));
        Assert.Equal("Unauthenticated", lines[1].GetProperty("result").GetString());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.25, 250)]
    [InlineData(1, 1000)]
    public async Task Write_Inference_IsWrittenByItsShare(double share, int expected)
    {
        var lines = await WriteAsync(new AuditOptions { File = File, Share = share }, audit =>
        {
            for (var i = 0; i < 1000; i++)
            {
                audit.Write(Request("/v2/models/m/infer"), RouteAccess.Infer, Known("m"));
            }
        });

        Assert.InRange(lines.Count, expected * 0.8, expected * 1.2);
    }

    [Fact]
    public async Task Write_NamesThatWouldBeLinesOfTheirOwn_StayInTheirLine()
    {
        var lines = await WriteAsync(
            new AuditOptions { File = File },
            audit => audit.Write(Request("/v2/\n{\"client\":\"admin\"}\u001b[31m"), RouteAccess.Manage, Known("m\r\n{}\u2028")));

        Assert.Equal("m\r\n{}\u2028", Assert.Single(lines).GetProperty("model").GetString());
        Assert.DoesNotContain(await System.IO.File.ReadAllTextAsync(File), static letter => char.IsControl(letter) && letter != '\n');
    }

    [Fact]
    public async Task Write_MoreThanAFileTakes_KeepsTheLatestFiles()
    {
        await WriteAsync(new AuditOptions { File = File, MaxMiB = 1, Files = 2 }, audit =>
        {
            for (var i = 0; i < 9000; i++)
            {
                audit.Write(Request("/v2/" + new string('a', 250)), RouteAccess.Manage, Known(new string('b', 250)));
            }
        });

        Assert.Equal(["audit.log", "audit.log.1", "audit.log.2"], _folder.GetFiles().Select(static file => file.Name).Order());
        Assert.All(_folder.GetFiles(), static file => Assert.InRange(file.Length, 1, (1 << 20) + 1000));
    }

    [Fact]
    public async Task Write_DiskThatRefuses_IsSaidOnceAndRequestsGoOn()
    {
        await WriteAsync(new AuditOptions { File = Path.Combine(_folder.FullName, "missing", "audit.log") }, audit =>
        {
            for (var i = 0; i < 5; i++)
            {
                audit.Write(Request("/"), RouteAccess.Manage, Known("m"));
            }
        });

        Assert.Equal(3263, Assert.Single(_log.Collector.GetSnapshot()).Id.Id);
    }

    /// <summary>As /dev/stdout of a container is.</summary>
    [Fact]
    public async Task Write_IntoAPipe_GoesOnAfterTheFirstLine()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        using var audit = new AuditLog(new AuditOptions { File = $"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}" }, _time, new Random(1), _log);
        await audit.StartAsync(CancellationToken.None);
        using var reader = new StreamReader(pipe);

        foreach (var model in (string[])["one", "two"])
        {
            audit.Write(Request("/v2/repository/models/m/load"), RouteAccess.Manage, Known(model));
            var line = await reader.ReadLineAsync().Soon();
            Assert.Equal(model, JsonDocument.Parse(line!).RootElement.GetProperty("model").GetString());
        }

        await audit.StopAsync(CancellationToken.None).Soon();
        Assert.True(audit.ExecuteTask!.IsCompletedSuccessfully);
        Assert.Empty(_log.Collector.GetSnapshot());
    }

    private static Caller Known(string model)
    {
        var caller = Caller.Unknown();
        caller.Note(model);
        return caller;
    }

    private static DefaultHttpContext Request(string path)
    {
        var http = new DefaultHttpContext();
        (http.Request.Method, http.Request.Path) = ("POST", path);
        http.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
        return http;
    }

    /// <returns>The lines of the newest file.</returns>
    private async Task<List<JsonElement>> WriteAsync(AuditOptions options, Action<AuditLog> write)
    {
        using var audit = new AuditLog(options, _time, new Random(1), _log);
        await audit.StartAsync(CancellationToken.None);
        write(audit);
        await audit.StopAsync(CancellationToken.None).Soon();
        return System.IO.File.Exists(File) ? [.. System.IO.File.ReadLines(File).Select(static line => JsonDocument.Parse(line).RootElement)] : [];
    }
}
