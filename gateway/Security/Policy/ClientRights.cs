using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Cluster.Gateway.Security.Policy;

/// <summary>A client of <c>access.json</c>: how it is known, and what it may do.</summary>
internal sealed class ClientRights
{
    /// <summary>Answers for names that clients made up are not kept beyond so many, nor for names longer than a model's can be.</summary>
    private const int MaxRemembered = 10_000;
    private const int MaxName = 255;

    private readonly ConcurrentDictionary<(Permission, string), bool> _answers = new();
    private readonly ImmutableArray<AccessRule> _rules;
    private int _remembered;

    public ClientRights(string name, ImmutableArray<AccessRule> rules)
    {
        Name = name;
        _rules = rules;
    }

    public string Name { get; }

    public required ImmutableArray<ApiKey> Keys { get; init; }

    /// <summary>Names in certificates: <c>CN=…</c> for a subject, else a DNS name, URI or mail address among the alternative names.</summary>
    public required ImmutableArray<string> Certificates { get; init; }

    /// <summary>Subjects of tokens.</summary>
    public required ImmutableArray<string> Tokens { get; init; }

    public required ClientQuota Quota { get; init; }

    /// <summary>Whether the client may do so with the model, or the alias, of that name. Says nothing about whether there is one.</summary>
    public bool Allows(Permission permission, string name)
    {
        if (_answers.TryGetValue((permission, name), out var allows))
        {
            return allows;
        }

        foreach (var rule in _rules)
        {
            allows |= rule.Allows(permission, name);
        }

        if (name.Length <= MaxName && Volatile.Read(ref _remembered) < MaxRemembered && _answers.TryAdd((permission, name), allows))
        {
            Interlocked.Increment(ref _remembered);
        }

        return allows;
    }

    /// <summary>Whether the client may do so with every model.</summary>
    public bool AllowsAll(Permission permission)
    {
        foreach (var rule in _rules)
        {
            if (rule.AllowsAll(permission))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Some permissions for some models.</summary>
internal sealed record AccessRule(ImmutableArray<Permission> Permissions, ImmutableArray<NamePattern> Models)
{
    public bool Allows(Permission permission, string name) => Permissions.Contains(permission) && Models.Any(pattern => pattern.Matches(name));

    public bool AllowsAll(Permission permission) => Permissions.Contains(permission) && Models.Any(static pattern => pattern.IsAll);
}

/// <summary>How much a client may ask for at one gateway. 0 is no limit.</summary>
/// <param name="RequestsPerSecond">Up to a million.</param>
/// <param name="Burst">Requests that may come at once, at least 1 where there is a rate.</param>
/// <param name="InFlight">Requests that are not answered yet.</param>
/// <param name="InFlightMiB">Bytes of the bodies of these, MiB.</param>
internal sealed record ClientQuota(double RequestsPerSecond, int Burst, int InFlight, int InFlightMiB)
{
    public static ClientQuota None { get; } = new(0, 0, 0, 0);

    /// <summary>Registered models of those that the client may change; null for as many as the process' options say.</summary>
    public int? RegisteredModels { get; init; }
}
