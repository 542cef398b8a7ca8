using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Replica bounds and drains over HTTP.</summary>
public sealed class OperatorEndpointsTests : RestServer
{
    [Theory]
    [InlineData("""{"min_copies":2,"max_copies":4}""", 2, 4, """{"name":"a b","min_copies":2,"max_copies":4}""")]
    [InlineData("""{"min_copies":2}""", 2, null, """{"name":"a b","min_copies":2}""")]
    [InlineData("""{"max_copies":0,"min_copies":null}""", null, 0, """{"name":"a b","max_copies":0}""")]
    public async Task PostScale_Bounds_AreSet(string body, int? least, int? most, string expected)
    {
        var answer = await Host.PostAsync("/v2/repository/models/a%20b/scale", body);

        Assert.Equal((200, expected), (answer.Status, answer.Text));
        Assert.Equal(("a b", new ReplicaBounds(least, most)), Host.Api.LastScale);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" {} ")]
    [InlineData("""{"min_copies":null}""")]
    public async Task PostScale_NoBound_LeavesThemToTheSettings(string body)
    {
        var answer = await Host.PostAsync("/v2/repository/models/m/scale", body);

        Assert.Equal((200, """{"name":"m"}"""), (answer.Status, answer.Text));
        Assert.Equal(("m", null), Host.Api.LastScale);
    }

    [Theory]
    [InlineData("[]", "the bounds are no object, expected min_copies and max_copies")]
    [InlineData("{", "the request is not valid JSON, expected min_copies and max_copies")]
    [InlineData("""{"\ud800":1}""", "the request is not valid JSON, expected min_copies and max_copies")]
    [InlineData("""{"min":1}""", "the bounds have an unknown member, expected min_copies and max_copies")]
    [InlineData("""{"min_copies":"1"}""", "min_copies is of another type, expected a whole number or null")]
    [InlineData("""{"max_copies":1.5}""", "max_copies is of another type, expected a whole number or null")]
    public async Task PostScale_WhatIsNoBound_IsRefused(string body, string expected)
    {
        var answer = await Host.PostAsync("/v2/repository/models/m/scale", body);

        Assert.Equal((400, $$"""{"error":"{{expected}}"}"""), (answer.Status, answer.Text));
        Assert.Null(Host.Api.LastScale);
    }

    [Fact]
    public async Task PostScale_NameOfBytesThatAreNoText_IsRefused()
    {
        var answer = await Host.PostAsync("/v2/repository/models/m/scale", [.. "{\""u8, 0xFF, .. "\":1}"u8]);

        Assert.Equal((400, """{"error":"the request is not valid JSON, expected min_copies and max_copies"}"""), (answer.Status, answer.Text));
    }

    [Theory]
    [InlineData("drain", true)]
    [InlineData("undrain", false)]
    public async Task PostDrain_OfASilo_AnswersWithIt(string verb, bool drains)
    {
        var answer = await Host.PostAsync($"/v2/cluster/silos/10.0.0.1%3A8002%407/{verb}", "");

        Assert.Equal(200, answer.Status);
        Assert.StartsWith($$"""{"silo":"10.0.0.1:8002@7","name":"one","status":"Active","draining":{{(drains ? "true" : "false")}},""", answer.Text, StringComparison.Ordinal);
        Assert.Equal(("10.0.0.1:8002@7", drains), Host.Api.LastDrain);
    }

    [Fact]
    public async Task PostDrain_Refused_SaysWhy()
    {
        Host.Api.Error = new ServingException(new Failure(StatusCode.FailedPrecondition, "the only one"));

        var answer = await Host.PostAsync("/v2/cluster/silos/x/drain", "");

        Assert.Equal((400, """{"error":"the only one"}"""), (answer.Status, answer.Text));
    }
}
