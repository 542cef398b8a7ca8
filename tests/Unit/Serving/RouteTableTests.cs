using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Routing;
using Cluster.Grains.Registry;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class RouteTableTests : IDisposable
{
    private readonly InMemoryServingStates _states = new();
    private readonly FakeGrains _grains = new();
    private readonly RouteTable _routes;

    public RouteTableTests()
    {
        _states.Publish(States.Model("early", States.Ready(1)));
        _routes = new RouteTable(_states, _grains);
    }

    public static TheoryData<string, ModelServingState, string, string> Routes => new()
    {
        { "the highest that is ready", States.Model("m", States.Loading(3), States.Ready(2), States.Ready(1)), "", "2" },
        { "the highest that loads", States.Model("m", States.Unavailable(3, "x", true), States.Loading(2), States.Loading(1)), "", "2" },
        { "a named version", States.Model("m", States.Ready(2), States.Ready(1)), "1", "1" },
        { "a named version that loads", States.Model("m", States.Loading(2), States.Ready(1)), "2", "2" },
        {
            "a version that is not there", States.Model("m", States.Ready(2), States.Ready(1)), "3",
            "NotFound: Request for unknown model: 'm' version 3 is not found; its versions are 2, 1"
        },
        {
            "a version that is not chosen", States.Model("m", States.Ready(2), States.Unavailable(1, "not chosen by the version policy")), "1",
            "NotFound: Request for unknown model: 'm' version 1 is not served: not chosen by the version policy"
        },
        {
            "a version that failed", States.Model("m", States.Unavailable(2, "no graph", failed: true), States.Ready(1)), "2",
            "Unavailable: failed to load model 'm' version 2: no graph"
        },
        {
            "every version failed", States.Model("m", States.Unavailable(2, "no graph", failed: true), States.Unavailable(1, "x", failed: true)), "",
            "Unavailable: failed to load model 'm' version 2: no graph"
        },
        {
            "everything unloaded", States.Model("m", States.Unavailable(1, "unloaded on request")), "",
            "NotFound: Request for unknown model: 'm' has no available versions"
        },
        { "a problem", new ModelServingState("m", [], "bad settings"), "", "Unavailable: model 'm' cannot be served: bad settings" },
        {
            "a problem, and a version not loaded", new ModelServingState("m", [States.Unavailable(1, "")], "bad settings"), "1",
            "Unavailable: model 'm' cannot be served: bad settings"
        },
        { "a problem, but it serves", new ModelServingState("m", [States.Ready(1)], "bad settings"), "", "1" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public void TryRoute_ByState_FindsTheVersionOrSaysWhyNot(string name, ModelServingState state, string version, string expected)
    {
        _states.Publish(state);

        var found = _routes.TryRoute("m", version, out var route, out var failure) ? route.Text : $"{failure.Code}: {failure.Message}";

        Assert.Equal((name, expected), (name, found));
        Assert.Equal(failure?.Code == StatusCode.Unavailable ? TimeSpan.FromSeconds(10) : null, failure?.RetryAfter);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("01")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.0")]
    [InlineData(" 1")]
    [InlineData("latest")]
    [InlineData("12345678901234567890")]
    [InlineData("١")]
    public void TryFind_VersionThatIsNoNumber_IsInvalid(string version)
    {
        Assert.False(_routes.TryFind("early", version, out _, out var failure));

        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        Assert.Contains(
            $"failed to get model version from specified version string '{version}' for model 'early': a version is a positive integer such as 1. Leave it out",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TryFind_UnknownModel_IsNotFoundWithAShortName()
    {
        Assert.False(_routes.TryFind(new string('x', 10_000), "", out VersionRoute? _, out var failure));

        Assert.Equal(StatusCode.NotFound, failure.Code);
        Assert.InRange(failure.Message.Length, 256, 400);
    }

    [Fact]
    public void Update_StateChanges_ReplacesTheRouteAndTells()
    {
        var told = new List<(string? Old, string? Now)>();
        _routes.Changed += (old, now) => told.Add((Describe(old), Describe(now)));

        _states.Publish(States.Model("m", States.Ready(1, 0)));
        _states.Publish(States.Model("m", States.Ready(1, 1)));
        Assert.True(_routes.TryRoute("m", "", out var route, out _));
        Assert.Same(_grains.Replica("m/1/1"), Assert.Single(route.Replicas).Grain);
        _states.Publish(States.Model("m"));

        Assert.False(_routes.TryFind("m", out _, out _));
        Assert.Equal([(null, "m:1/0"), ("m:1/0", "m:1/1"), ("m:1/1", null)], told);
        Assert.Equal(["early"], _routes.All.Select(entry => entry.State.Name));
    }

    [Fact]
    public void Dispose_ThenChange_IsNotFollowed()
    {
        _routes.Dispose();

        _states.Publish(States.Model("m", States.Ready(1)));

        Assert.False(_routes.TryFind("m", out _, out _));
    }

    public void Dispose() => _routes.Dispose();

    private static string? Describe(ModelRoute? route) =>
        route is null ? null : $"{route.State.Name}:{route.Default?.Text}/{string.Join(',', route.Default?.State.Replicas.Select(replica => replica.Number) ?? [])}";
}
