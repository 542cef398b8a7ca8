using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Policy;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Security;

public sealed class AccessFileTests : IDisposable
{
    private const string Client = """{"clients":{"a":{"keys":[{"id":"k","salt":"00112233445566778899aabbccddeeff","sha256":"%"}]}},"rules":[{"clients":["a"],"allow":["infer"],"models":["m*"]}]}""";

    private readonly TestAccess _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Read_ARightFile_KnowsItsClientsAndTheirRights()
    {
        _files.Write(new
        {
            clients = new
            {
                team = new { keys = new[] { TestAccess.Key("k1", "one"), TestAccess.Key("k2", "two") }, certificates = new[] { "CN=team" }, tokens = new[] { "sub-team" }, requests_per_second = 2.5, in_flight = 7, registered_models = 0 },
                other = new { },
            },
            rules = new object[]
            {
                new { clients = new[] { "team" }, allow = new[] { "infer", "read" }, models = new[] { "team-*", "shared" } },
                new { clients = new[] { "*" }, allow = new[] { "read" }, models = new[] { "public" } },
            },
        });

        var policy = AccessFile.Read(_files.File);

        var team = policy.FindKey("k2.two", DateTimeOffset.UnixEpoch, out _)!;
        Assert.Same(team, policy.FindCertificate(["CN=x", "CN=team"]));
        Assert.Same(team, policy.FindToken("sub-team"));
        Assert.Equal(new ClientQuota(2.5, 3, 7, 0) { RegisteredModels = 0 }, team.Quota);
        Assert.True(team.Allows(Permission.Infer, "team-1") && team.Allows(Permission.Read, "shared") && team.Allows(Permission.Read, "public"));
        Assert.False(team.Allows(Permission.Infer, "public") || team.Allows(Permission.Infer, "Team-1") || team.Allows(Permission.Manage, "team-1") || team.AllowsAll(Permission.Read));
        Assert.True(policy.Find("other")!.Allows(Permission.Read, "public"));
        Assert.Null(policy.Find("nosuch"));
    }

    [Theory]
    [InlineData("k1.one", true)]
    [InlineData("k1.two", false)]
    [InlineData("k2.one", false)]
    [InlineData("k1.", false)]
    [InlineData(".one", false)]
    [InlineData("one", false)]
    [InlineData("", false)]
    [InlineData("k1.one.", false)]
    public void FindKey_AnyText_FindsOnlyTheWholeKey(string text, bool isFound)
    {
        var policy = AccessFile.Read(_files.Write(new { clients = new { a = new { keys = new[] { TestAccess.Key("k1", "one") } } }, rules = Array.Empty<object>() }).File);

        Assert.Equal(isFound, policy.FindKey(text, DateTimeOffset.UnixEpoch, out _) is not null);
    }

    [Fact]
    public void FindKey_SecretLongerThanAny_IsNotFound()
    {
        var policy = AccessFile.Read(_files.Write(new { clients = new { a = new { keys = new[] { TestAccess.Key("k1", "one") } } }, rules = Array.Empty<object>() }).File);

        Assert.Null(policy.FindKey("k1." + new string('é', 100_000), DateTimeOffset.UnixEpoch, out _));
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("null", "null")]
    [InlineData("[]", "$")]
    [InlineData("""{"clients":{}}""", "$")]
    [InlineData("""{"clients":{},"rules":[],"more":1}""", "$.more")]
    [InlineData("""{"clients":{},"rules":[],"rules":[]}""", "$")]
    [InlineData("""{"clients":{"a":{"key":[]}},"rules":[]}""", "$.clients.a.key")]
    [InlineData("""{"clients":{"a":{"in_flight":0}},"rules":[]}""", "in_flight is 0")]
    [InlineData("""{"clients":{"a":{"registered_models":-1}},"rules":[]}""", "registered_models is -1")]
    [InlineData("""{"clients":{"a":{"burst":2}},"rules":[]}""", "without requests_per_second")]
    [InlineData("""{"clients":{"*":{}},"rules":[]}""", "'*'")]
    [InlineData("""{"clients":{"a":null},"rules":[]}""", "null")]
    [InlineData("""{"clients":{"a":{"keys":[null]}},"rules":[]}""", "null")]
    [InlineData("""{"clients":{"a":{"tokens":[null]}},"rules":[]}""", "null")]
    [InlineData("""{"clients":{"a":{}},"rules":[null]}""", "null")]
    [InlineData("""{"clients":{"a":{}},"rules":[{"clients":["a"],"allow":["read"],"models":[null]}]}""", "null")]
    [InlineData("""{"clients":{"a":{"keys":[{"id":"a.b","salt":"00","sha256":"00"}]}},"rules":[]}""", "without a dot")]
    [InlineData("""{"clients":{"a":{"keys":[{"id":"k","salt":"zz","sha256":"00"}]}},"rules":[]}""", "not hexadecimal")]
    [InlineData("""{"clients":{"a":{"keys":[{"id":"k","salt":"00","sha256":"00"}]}},"rules":[]}""", "16 to 64 bytes")]
    [InlineData("""{"clients":{"a":{"certificates":["x"]},"b":{"certificates":["x"]}},"rules":[]}""", "given twice")]
    [InlineData("""{"clients":{},"rules":[{"clients":["b"],"allow":["read"],"models":["*"]}]}""", "'b'")]
    [InlineData("""{"clients":{"a":{}},"rules":[{"clients":["a"],"allow":["run"],"models":["*"]}]}""", "$.rules[0].allow[0]")]
    [InlineData("""{"clients":{"a":{}},"rules":[{"clients":["a"],"allow":[1],"models":["*"]}]}""", "$.rules[0].allow[0]")]
    [InlineData("""{"clients":{"a":{}},"rules":[{"clients":["a"],"allow":["read"],"models":[]}]}""", "models is empty")]
    [InlineData("""{"clients":{"a":{}},"rules":[{"clients":["a"],"allow":["observe"],"models":["a*"]}]}""", "observe")]
    public void Read_AWrongFile_SaysWhereItIsWrong(string text, string says)
    {
        _files.Write("access.json", text);

        Assert.Contains(says, Assert.Throws<AccessFileException>(() => AccessFile.Read(_files.File)).Message, StringComparison.Ordinal);
    }

    /// <summary>Any content of a file is rules or a mistake.</summary>
    [Fact]
    public void Read_DamagedFiles_AreRulesOrMistakes() => Fuzz(5000);

    [Fact, Trait("Category", "Soak")]
    public void Read_ManyDamagedFiles_AreRulesOrMistakes() => Fuzz(100_000);

    private static void Fuzz(int few)
    {
        var count = FuzzRun.Cases(few);
        var random = new Random(FuzzRun.Seed(15));
        var whole = Client.Replace("%", new string('a', 64), StringComparison.Ordinal);
        var rules = 0;
        for (var i = 0; i < count; i++)
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(whole);
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            using var stream = new MemoryStream(random.Next(2) == 0 ? bytes : bytes[..random.Next(1, bytes.Length)]);
            try
            {
                AccessFile.Read(stream);
                rules++;
            }
            catch (AccessFileException exception)
            {
                Assert.InRange(exception.Message.Length, 1, 1000);
            }
        }

        Assert.InRange(rules, 1, count - 1);
    }
}
