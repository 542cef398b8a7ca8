using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Bench.Server;

namespace Cluster.Bench.Attacks;

/// <summary>A server with a small model and a slow one, with or without identities.</summary>
internal sealed class AttackedServer : IAsyncDisposable
{
    private const string Program = "silo/bin/Release/net10.0/publish/cluster-silo";
    private const string Behaved = "behaved";
    private const string Attacker = "attacker";
    private const string Secret = "secret";

    private readonly ModelFolder _models;

    private AttackedServer(ModelFolder models, ServerProcess process)
    {
        _models = models;
        Process = process;
    }

    public ServerProcess Process { get; }

    /// <summary>Of the client that behaves.</summary>
    public string Key { get; private init; } = "";

    /// <param name="attack">Whose client is known beside the one that behaves.</param>
    public static async Task<AttackedServer> StartAsync(string root, Attack attack, CancellationToken cancellationToken)
    {
        var models = new ModelFolder();
        try
        {
            models.Add(BehavedRequest.SmallModel, await File.ReadAllBytesAsync(Path.Combine(root, ModelFolder.IdentityFile), cancellationToken));
            models.Add(BehavedRequest.SlowModel, await File.ReadAllBytesAsync(Path.Combine(root, "tests/models/slow/1/model.onnx"), cancellationToken), """{"concurrency":1,"performance_hint":"throughput"}""");
            var access = AccessFileOf(models);
            await File.WriteAllTextAsync(access, Access(attack), cancellationToken);
            var process = await ServerProcess.StartAsync(Path.Combine(root, Program), models.Path, cancellationToken, attack.NeedsKey ? ["--access", access] : []);
            return new AttackedServer(models, process) { Key = attack.NeedsKey ? KeyOf(Behaved) : "" };
        }
        catch
        {
            models.Dispose();
            throw;
        }
    }

    public AttackTarget Target(Attack attack) => new(Process.Http.Port, Process.Grpc.Port, attack.NeedsKey ? KeyOf(Attacker) : "");

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        File.Delete(AccessFileOf(_models));
        _models.Dispose();
    }

    /// <summary>Beside the folder: it is no model.</summary>
    private static string AccessFileOf(ModelFolder models) => models.Path + ".json";

    private static string Access(Attack attack)
    {
        var attacker = JsonSerializer.SerializeToNode(AttackList.Quotas.GetValueOrDefault(attack.Name, new { }))!.AsObject();
        attacker["keys"] = JsonSerializer.SerializeToNode(Entry(Attacker));
        return JsonSerializer.Serialize(new
        {
            clients = new Dictionary<string, object> { [Behaved] = new { keys = Entry(Behaved) }, [Attacker] = attacker },
            rules = JsonNode.Parse("""[{"clients":["*"],"allow":["infer","read"],"models":["*"]}]"""),
        });
    }

    /// <summary>Such a key guards nothing: the server is on loopback and ends with the attack.</summary>
    private static string KeyOf(string client) => $"{client}.{Secret}";

    private static object[] Entry(string client)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var sha256 = SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(Secret)]);
        return [new { id = client, salt = Convert.ToHexString(salt), sha256 = Convert.ToHexString(sha256) }];
    }
}
