using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Versions;

/// <summary>Version policies of <c>model.json</c>: which versions answer, and which is the default.</summary>
public sealed class VersionPolicyTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [InlineData("multi", "3")]
    [InlineData("multi_latest2", "2,3")]
    [InlineData("multi_all", "1,2,3")]
    [InlineData("multi_specific", "1,3")]
    public async Task Infer_Versions_ThoseOfThePolicyServeAndTheHighestIsTheDefault(string model, string served)
    {
        var versions = served.Split(',');
        foreach (var (protocol, client) in new[] { ("gRPC", "python"), ("REST", "node") })
        {
            Assert.Equal("3", (await AnswerAsync(protocol, client, Request(model, ""))).Version);
            foreach (var version in new[] { "1", "2", "3" })
            {
                if (versions.Contains(version))
                {
                    Assert.Equal(version, (await AnswerAsync(protocol, client, Request(model, version))).Version);
                }
                else
                {
                    var (status, message) = await FailAsync(protocol, client, Request(model, version));
                    Assert.Equal(protocol == "gRPC" ? "NOT_FOUND" : "404", status);
                    Assert.Contains($"'{model}' version {version}", message, StringComparison.Ordinal);
                    Assert.Contains("version policy", message, StringComparison.Ordinal);
                }
            }
        }

        var metadata = (await GetAsync("python", $"/v2/models/{model}")).Json.GetProperty("versions").EnumerateArray();
        Assert.Equal(versions, metadata.Select(static version => version.GetString()!));
    }

    private static Infer Request(string model, string version) => new(model, Tensor.Fp32("INPUT0", [1], 10)) { Version = version };
}
