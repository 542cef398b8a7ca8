using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Security;
using Cluster.Unit.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Cli;

/// <summary>A server with TLS and identities, and a profile for each of its clients: <c>operator</c> may do everything, <c>reader</c> may read, <c>certificate</c> has no key.</summary>
public sealed class CliServer : IAsyncLifetime
{
    /// <summary>MiB of a model that fits nowhere, and of the one silo.</summary>
    private const int BigMiB = 8, CapacityMiB = 4;

    private readonly TestCertificates _certificates = TestCertificates.Create("127.0.0.1");
    private readonly TestAccess _access = new();
    private readonly ModelFolder _models = ModelFolder.Create();
    private readonly ModelFolder _registered = ModelFolder.Create();
    private WebApplication? _app;

    public string Url { get; private set; } = "";

    /// <summary>A path in the folder of the profiles.</summary>
    public string this[string file] => _access[file];

    public async ValueTask InitializeAsync()
    {
        _models.Add(Path.Combine(TestPaths.DemoModels, "digits")).Add(Path.Combine(TestPaths.DemoModels, "add_sub"));
        var file = _access["big.onnx"];
        await File.WriteAllBytesAsync(file, OnnxModels.Sized(1, BigMiB));
        _registered.AddVersion("big", 1, file);
        foreach (var number in new[] { 1, 2 })
        {
            _registered.AddVersion($"v{number}", 1, Path.Combine(TestPaths.TestModels, "multi", $"{number}", "model.onnx"));
        }

        _access.Write(new
        {
            clients = new
            {
                @operator = new { keys = new[] { TestAccess.Key("operator", "key") }, certificates = new[] { "CN=127.0.0.1" } },
                reader = new { keys = new[] { TestAccess.Key("reader", "key") } },
            },
            rules = new object[]
            {
                new { clients = new[] { "operator" }, allow = new[] { "infer", "read", "manage", "observe" }, models = new[] { "*" } },
                new { clients = new[] { "reader" }, allow = new[] { "read" }, models = new[] { "*" } },
            },
        });
        _app = await ServeHosts.StartAsync([
            ("Cluster:Models", _models.Path), ("Cluster:RegisteredModels", _registered.Path), ("Cluster:Capacity", $"{CapacityMiB}MiB"), ("Cluster:Access", _access.File),
            ("Cluster:TlsCert", _certificates.Certificate), ("Cluster:TlsKey", _certificates.Key), ("Cluster:TlsClientCa", _certificates.Authority), ("Cluster:TlsClientCert", "Optional")]);
        Url = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        WriteProfiles();
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null } }) { BaseAddress = new Uri(Url) };
        await http.UntilOkAsync("/v2/health/ready", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.EndAsync();
        }

        _certificates.Dispose();
        _access.Dispose();
        _models.Dispose();
        _registered.Dispose();
    }

    /// <summary>As the operator.</summary>
    internal Task<CliRun> RunAsync(params string[] arguments) => RunAsAsync("operator", "", arguments);

    internal Task<CliRun> RunAsAsync(string profile, string input, params string[] arguments) =>
        CliRun.RunAsync(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = Path.GetDirectoryName(_access.File)!, ["CLUSTER_PROFILE"] = profile }, input, arguments, TestContext.Current.CancellationToken);

    /// <summary>Runs what must succeed.</summary>
    /// <returns>What it wrote.</returns>
    internal async Task<string> DoAsync(params string[] arguments)
    {
        var run = await RunAsync(arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run.Output;
    }

    /// <summary>Writes a file beside the profiles.</summary>
    internal string Write(string name, string text)
    {
        File.WriteAllText(_access[name], text);
        return _access[name];
    }

    internal string Write(string name, byte[] content)
    {
        File.WriteAllBytes(_access[name], content);
        return _access[name];
    }

    private void WriteProfiles()
    {
        Directory.CreateDirectory(_access["cluster"]);
        Write("cluster/operator.key", "operator.key\n");
        Write("cluster/reader.key", "reader.key\n");
        Write("cluster/config.yaml", $"""
            profiles:
              operator: {OfServer("api-key-file: operator.key")}
              reader: {OfServer("api-key-file: reader.key")}
              none: {OfServer()}
              certificate: {OfServer($"cert: {_certificates.Certificate}", $"key: {_certificates.Key}")}
              stranger: {"{"} server: "{Url}" {"}"}
            """);
    }

    private string OfServer(params string[] more) => $"{{ {string.Join(", ", [$"server: \"{Url}\"", $"ca: {_certificates.Authority}", .. more])} }}";
}
