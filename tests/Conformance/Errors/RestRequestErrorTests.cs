using System.Text;
using Cluster.Conformance.Clients;
using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Errors;

/// <summary>Requests that are wrong in a way that only REST can say.</summary>
public sealed class RestRequestErrorTests(ServerFixture fixture) : ServerTests(fixture)
{
    private const string Start = """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,2],""";

    private static readonly Dictionary<string, (string Body, string[] Says)> AllCases = new()
    {
        ["empty body"] = ("", ["JSON"]),
        ["no JSON"] = ("hello", ["not valid JSON"]),
        ["JSON cut"] = (Start, ["not valid JSON"]),
        ["JSON and more"] = (Start + "\"data\":[1,2]}]} x", ["not valid JSON"]),
        ["an array"] = ("[]", ["object"]),
        ["no inputs"] = ("{}", ["missing input 'INPUT0'"]),
        ["inputs not a list"] = ("{\"inputs\":{}}", ["inputs", "array"]),
        ["inputs empty"] = ("{\"inputs\":[]}", ["missing input 'INPUT0'"]),
        ["input without name"] = ("{\"inputs\":[{\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]}", ["name"]),
        ["input without datatype"] = ("{\"inputs\":[{\"name\":\"INPUT0\",\"shape\":[1],\"data\":[1]}]}", ["'INPUT0'", "datatype"]),
        ["input without shape"] = ("{\"inputs\":[{\"name\":\"INPUT0\",\"datatype\":\"FP32\",\"data\":[1]}]}", ["'INPUT0'", "shape"]),
        ["input without data"] = (Start[..^1] + "}]}", ["'INPUT0'", "data"]),
        ["name a number"] = ("{\"inputs\":[{\"name\":1,\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]}", ["name", "string"]),
        ["shape a number"] = ("{\"inputs\":[{\"name\":\"INPUT0\",\"datatype\":\"FP32\",\"shape\":1,\"data\":[1]}]}", ["'INPUT0'", "shape"]),
        ["shape of fractions"] = ("{\"inputs\":[{\"name\":\"INPUT0\",\"datatype\":\"FP32\",\"shape\":[1.5],\"data\":[1]}]}", ["'INPUT0'", "shape"]),
        ["data too short"] = (Start + "\"data\":[1]}]}", ["'INPUT0'", "1", "[1,2]", "2"]),
        ["data too long"] = (Start + "\"data\":[1,2,3]}]}", ["'INPUT0'", "3", "[1,2]", "2"]),
        ["data ragged"] = (Start + "\"data\":[[1],2]}]}", ["'INPUT0'", "ragged"]),
        ["data not a list"] = (Start + "\"data\":\"1,2\"}]}", ["'INPUT0'", "array"]),
        ["data twice"] = (Start + "\"data\":[1,2],\"data\":[1,2]}]}", ["'INPUT0'", "data twice"]),
        ["datatype in lower case"] = ("{\"inputs\":[{\"name\":\"INPUT0\",\"datatype\":\"fp32\",\"shape\":[1],\"data\":[1]}]}", ["'INPUT0'", "'fp32'", "FP32"]),
        ["id a number"] = ("{\"id\":1," + Start[1..] + "\"data\":[1,2]}]}", ["id", "string"]),
        ["outputs not a list"] = (Start + "\"data\":[1,2]}],\"outputs\":1}", ["outputs", "array"]),
        ["output without name"] = (Start + "\"data\":[1,2]}],\"outputs\":[{}]}", ["output", "name"]),
        ["binary size without its header"] = (Start + "\"parameters\":{\"binary_data_size\":8}}]}", ["'INPUT0'", Infer.JsonLengthHeader]),
        ["binary size and data"] = (Start + "\"data\":[1,2],\"parameters\":{\"binary_data_size\":8}}]}", ["'INPUT0'", "binary_data_size"]),
        ["classification a string"] = (Start + "\"data\":[1,2]}],\"outputs\":[{\"name\":\"OUTPUT0\",\"parameters\":{\"classification\":\"2\"}}]}", ["classification"]),
        ["binary_data a number"] = (Start + "\"data\":[1,2]}],\"outputs\":[{\"name\":\"OUTPUT0\",\"parameters\":{\"binary_data\":1}}]}", ["binary_data"]),
    };

    public static TheoryData<string, string> Cases { get; } = Cross(["python", "node"], AllCases.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Infer_WrongJson_Is400AndSaysWhere(string client, string name)
    {
        var (body, says) = AllCases[name];
        var (status, message) = Failure(await PostAsync(client, "/v2/models/identity_fp32/infer", body));
        Assert.Equal("400", status);
        Assert.All(says, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_JsonNested250000Deep_Is400AndTheServerLives(string client)
    {
        var deep = new string('[', 250_000) + new string(']', 250_000);
        foreach (var body in new[] { deep, Start + $"\"data\":{deep}}}]}}", "{\"x\":" + deep + "}", string.Concat(Enumerable.Repeat("{\"a\":", 250_000)) })
        {
            Assert.Equal("400", Failure(await PostAsync(client, "/v2/models/identity_fp32/infer", body)).Status);
            Assert.Equal("400", Failure(await PostAsync(client, "/v2/repository/index", body)).Status);
        }

        Assert.Equal(200, (await GetAsync(client, "/v2/health/live")).Status);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_BodyThatIsNotUtf8_Is400(string client)
    {
        var body = Encoding.Latin1.GetBytes(Start + "\"data\":[1,2]}],\"ü\":1}");
        var (status, message) = Failure(await HttpAsync(client, new HttpCall("POST", Url + "/v2/models/identity_fp32/infer") { Body = body }));
        Assert.Equal("400", status);
        Assert.Contains("UTF-8", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("python", "999", 8, "only")]
    [InlineData("node", "999", 8, "only")]
    [InlineData("python", "x", 8, "'x'")]
    [InlineData("node", "-1", 8, "'-1'")]
    [InlineData("python", "99999999999999999999", 8, "99999999999999999999")]
    [InlineData("python", null, 7, "'INPUT0'")]
    [InlineData("node", null, 0, "'INPUT0'")]
    [InlineData("node", null, 9, "goes on")]
    public async Task Infer_LengthsThatDoNotFit_Are400(string client, string? header, int bytes, string says)
    {
        const string Json = Start + "\"parameters\":{\"binary_data_size\":8}}]}";
        var (status, message) = Failure(await HttpAsync(client, new HttpCall("POST", Url + "/v2/models/identity_fp32/infer")
        {
            Headers = [new(Infer.JsonLengthHeader, header ?? "" + Json.Length)],
            Body = (byte[])[.. Encoding.UTF8.GetBytes(Json), .. new byte[bytes]],
        }));
        Assert.Equal("400", status);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Infer_SharedMemoryParameter_Is501(string client)
    {
        const string Body = Start + "\"parameters\":{\"shared_memory_region\":\"r\",\"shared_memory_byte_size\":8}}]}";
        var (status, message) = Failure(await PostAsync(client, "/v2/models/identity_fp32/infer", Body));
        Assert.Equal("501", status);
        Assert.Contains("shared memory", message, StringComparison.Ordinal);
    }
}
