using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Policy;
using Cluster.Grains.Registry;
using Cluster.Unit.Gateway.Security;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.Gateway.ModelMesh;

public sealed class RegistrationQuotaTests : IDisposable
{
    private readonly InMemoryServingStates _states = new();
    private readonly TestAccess _access = new();
    private readonly AccessControl _control = new(TimeProvider.System);
    private readonly RegistrationQuota _quota;

    public RegistrationQuotaTests()
    {
        _quota = new RegistrationQuota(_states, new AccessOptions { RegisteredModels = 3 });
        _access.Write(new
        {
            clients = new { a = new { registered_models = 2 }, b = new { }, none = new { registered_models = 0 } },
            rules = new object[]
            {
                new { clients = new[] { "a" }, allow = new[] { "manage" }, models = new[] { "a-*" } },
                new { clients = new[] { "b", "none" }, allow = new[] { "manage" }, models = new[] { "*" } },
                new { clients = new[] { "a" }, allow = new[] { "read" }, models = new[] { "*" } },
            },
        });
        _control.Policy = AccessFile.Read(_access.File);
    }

    public void Dispose() => _access.Dispose();

    [Fact]
    public void Take_AtTheQuota_RefusesUntilOneGoes()
    {
        Register("a-1");
        Register("a-2");

        Assert.Equal("of the models that client 'a' may change 2 are registered, as many as may be; unregister one to register another", Refused("a", "a-3"));
        Assert.Null(Refused("a", "a-2"));
        _states.Publish(new Contracts.Serving.ModelServingState("a-1", [], null));
        Assert.Null(Refused("a", "a-3"));
    }

    /// <summary>Neither the operator's models nor those of other clients count, though the client may see them.</summary>
    [Fact]
    public void Take_CountsWhatTheClientMayChangeAlone()
    {
        foreach (var other in new[] { "b-1", "b-2", "b-3" })
        {
            Register(other);
        }

        _states.Publish(States.Model("a-of-the-operator", States.Ready(1)));
        _states.Publish(States.Model("a-another", States.Ready(1)));

        Assert.Null(Refused("a", "a-1"));
        Assert.NotNull(Refused("b", "b-4"));
    }

    [Fact]
    public void Take_WithoutAQuotaOfItsOwn_HoldsTheOptions()
    {
        Assert.Null(Refused("b", "b-1"));
        Register("b-1");
        Register("b-2");
        Register("b-3");

        Assert.Contains("may change 3 are registered", Refused("b", "b-4"), StringComparison.Ordinal);
        Assert.Contains("may change 0 are registered", Refused("none", "x"), StringComparison.Ordinal);
        using var anyone = _quota.Take(Caller.Anyone, "b-4");
    }

    /// <summary>What is about to be registered has its place, by each client that may change it.</summary>
    [Fact]
    public void Take_ManyAtOnce_LeavesNoMoreThanTheQuotaIn()
    {
        using (_quota.Take(Of("a"), "a-1"))
        using (_quota.Take(Of("a"), "a-1"))
        using (_quota.Take(Of("b"), "a-2"))
        {
            Assert.NotNull(Refused("a", "a-3"));
            Register("a-1");
            Assert.NotNull(Refused("a", "a-3"));
        }

        Assert.Null(Refused("a", "a-3"));
    }

    private Caller Of(string client) => _control.CallerOf(_control.Policy.Find(client)!);

    private void Register(string model) => _states.Publish(States.Model(model, States.Ready(1)) with { Origin = RegistrationOrigin.Registered });

    /// <summary>Null: a place was taken, and left.</summary>
    private string? Refused(string client, string model)
    {
        try
        {
            using var place = _quota.Take(Of(client), model);
            return null;
        }
        catch (ServingException exception)
        {
            Assert.Equal((StatusCode.ResourceExhausted, null), (exception.Failure.Code, exception.Failure.RetryAfter));
            return exception.Failure.Message;
        }
    }
}
