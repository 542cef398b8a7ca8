using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace Cluster.Contracts.Options;

/// <summary>Configuration keys of one origin, such as the command line, that knows how a key is written there.</summary>
public sealed class NamedSource : ConfigurationProvider, IConfigurationSource
{
    private readonly Func<string, string> _nameOf;

    /// <param name="values">By key, such as <c>Cluster:HttpPort</c>.</param>
    /// <param name="nameOf">Makes <c>--http-port</c> of that.</param>
    public NamedSource(IReadOnlyDictionary<string, string?> values, Func<string, string> nameOf)
    {
        _nameOf = nameOf;
        foreach (var (key, value) in values)
        {
            Data[key] = value;
        }
    }

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>How the operator wrote the key; one that was not given is named as the origin that wins would name it.</summary>
    internal static string NameOf(IConfiguration configuration, string key)
    {
        var origins = configuration is IConfigurationRoot root ? root.Providers.Reverse().ToList() : [];
        return (origins.Find(origin => origin.TryGet(key, out _) || origin.GetChildKeys([], key).Any()) ?? origins.FirstOrDefault()) switch
        {
            NamedSource named => named._nameOf(key),
            EnvironmentVariablesConfigurationProvider => key.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal),
            _ => key,
        };
    }
}
