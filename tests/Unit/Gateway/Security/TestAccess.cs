using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cluster.Unit.Gateway.Security;

/// <summary>Files of clients and rules as an operator writes them, in a temporary folder.</summary>
internal sealed class TestAccess : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-access-");

    public string File => this["access.json"];

    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>A key's entry; the key itself is <c>id.secret</c>.</summary>
    public static object Key(string id, string secret, DateTimeOffset? expires = null)
    {
        var salt = SHA256.HashData(Encoding.UTF8.GetBytes(id))[..16];
        return new { id, salt = Convert.ToHexString(salt), sha256 = Convert.ToHexString(SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(secret)])), expires };
    }

    /// <summary>Writes the rules in one step.</summary>
    public TestAccess Write(object rules) => Write("access.json", JsonSerializer.Serialize(rules));

    public TestAccess Write(string name, string text)
    {
        System.IO.File.WriteAllText(this[name + ".new"], text);
        System.IO.File.Move(this[name + ".new"], this[name], overwrite: true);
        return this;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
