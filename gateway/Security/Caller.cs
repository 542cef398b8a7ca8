using Cluster.Contracts.Errors;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security.Policy;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Security;

/// <summary>Who sent a request, among the features of that; its rights are those of now, also in a stream that has been open for long.</summary>
internal sealed class Caller
{
    private readonly AccessControl? _control;
    private readonly ClientUsage? _usage;

    private Caller()
    {
        Name = "";
    }

    /// <summary>A caller that may do everything, and stands in the audit log.</summary>
    public static Caller Unknown() => new();

    public Caller(string name, AccessControl control, ClientUsage usage)
    {
        Name = name;
        _control = control;
        _usage = usage;
    }

    /// <summary>The caller of a server that asks for no identity: it may do everything.</summary>
    public static Caller Anyone { get; } = new();

    /// <summary>The client's name; empty for <see cref="Anyone"/>.</summary>
    public string Name { get; }

    /// <summary>The client's rights; null for one that the rules have no more.</summary>
    private ClientRights? Rights => _control!.Policy.Find(Name);

    /// <summary>The model that was asked about last; null for none.</summary>
    public string? Target { get; private set; }

    /// <summary>The first name that was refused to it in this request; null for none.</summary>
    public string? Denied { get; private set; }

    public static Caller Of(HttpContext http) => http.Features.Get<Caller>() ?? Anyone;

    /// <summary>Whether the caller may do so with the model, or the alias, of that name, be there one or not.</summary>
    public bool May(Permission permission, string name) => _control is null || Rights?.Allows(permission, name) == true;

    /// <summary>Whether the caller may see an alias: by its name, or since it may see the model that it leads to.</summary>
    public bool MaySee(string alias, string model) => May(Permission.Read, alias) || (model.Length > 0 && May(Permission.Read, model));

    /// <exception cref="ServingException">PERMISSION_DENIED, with the same words for a name that is there and one that is not.</exception>
    public void Demand(Permission permission, string name)
    {
        Note(name);
        if (!May(permission, name))
        {
            throw new ServingException(Refuse(permission, name));
        }
    }

    /// <summary>Has the audit log name a model.</summary>
    public void Note(string name)
    {
        if (this != Anyone)
        {
            Target = name;
        }
    }

    /// <summary>Takes a request of a stream in, or says why not.</summary>
    public Failure? Enter() => _usage is null ? null : Rights is not { } rights ? Gone() : _usage.TryEnter(rights.Quota, out var refusal) ? null : refusal;

    /// <summary>Lets out what <see cref="Enter"/> took in.</summary>
    public void Leave() => _usage?.Leave();

    /// <summary>Holds a message's bytes against the caller's quota, or says why not.</summary>
    public Failure? Hold(long bytes) => _usage is null ? null : Rights is not { } rights ? Gone() : _usage.TryHold(rights.Quota, bytes, out var refusal) ? null : refusal;

    /// <summary>Lets go what <see cref="Hold"/> holds.</summary>
    public void Release(long bytes) => _usage?.Release(bytes);

    /// <summary>How many of the models that it may change may be registered; null for any number.</summary>
    /// <param name="otherwise">For a client that has no such quota of its own.</param>
    public int? RegisteredModels(int otherwise) => _control is null ? null : Rights?.Quota.RegisteredModels ?? otherwise;

    /// <summary>The refusal, which the audit log records.</summary>
    internal Failure Refuse(Permission permission, string name)
    {
        Denied ??= VersionText.Shorten(name);
        return new Failure(StatusCode.PermissionDenied, $"client '{Name}' may not {Word(permission)} '{VersionText.Shorten(name)}'");
    }

    private static string Word(Permission permission) => permission switch
    {
        Permission.Infer => "run",
        Permission.Read => "see",
        Permission.Manage => "change",
        _ => "observe",
    };

    private Failure Gone() => new(StatusCode.Unauthenticated, $"client '{Name}' is known no more");
}
