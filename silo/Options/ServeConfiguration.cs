using Cluster.Contracts.Options;
using Cluster.Gateway.Security;
using Cluster.Silo.Tracing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Cluster.Silo.Options;

/// <summary>Everything that was set from outside, read and checked.</summary>
/// <param name="Options">Valid only without mistakes.</param>
/// <param name="Configuration">What the options of all parts are read from.</param>
/// <param name="Unreadable">Mistakes of the command line and the file as such; also among the mistakes.</param>
/// <param name="Mistakes">All of them, one line each.</param>
internal sealed record ServeConfiguration(
    ServeOptions Options, IConfiguration Configuration, IReadOnlyList<string> Unreadable, IReadOnlyList<string> Mistakes)
{
    /// <summary>Scripts and images set it, to whichever program OpenVINO is for.</summary>
    private const string OpenVinoVariable = "CLUSTER_OPENVINO";

    /// <summary>Puts together the command line, which wins, the environment and the file, which yields to both.</summary>
    /// <param name="file">A JSON file; it need not exist.</param>
    public static ServeConfiguration Read(GivenOptions given, string file)
    {
        var settings = AppSettings.Read(file, [.. OptionSections.Types.Select(OptionProperty.SectionOf)]);
        var configuration = new ConfigurationBuilder()
            .Add(new NamedSource(settings.Values, settings.NameOf))
            .Add(Variable(OpenVinoVariable, $"{ServeOptions.Section}:{nameof(ServeOptions.Openvino)}"))
            .Add(Variable(TracingOptions.EndpointVariable, TracingOptions.EndpointKey))
            .AddEnvironmentVariables()
            .Add(new NamedSource(given.Values, ServeCommand.NameOf))
            .Build();
        var options = new ServeOptions();
        OptionSection.Bind(configuration, options);
        options.Models ??= options.Config is null ? "models" : null;
        string[] unreadable = [.. given.Mistakes, .. settings.Mistakes];
        return new ServeConfiguration(options, configuration, unreadable, [.. unreadable, .. Check(configuration, options)]);
    }

    /// <summary>A variable of another form than ours, for an option.</summary>
    private static NamedSource Variable(string name, string key) =>
        new(Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? new Dictionary<string, string?> { [key] = value } : [], _ => name);

    /// <summary>The mistakes in some options of the process, those of the command line and the file included.</summary>
    public IReadOnlyList<string> MistakesOf(params IReadOnlyCollection<string> properties) =>
        [.. Unreadable, .. OptionSection.Check(Configuration, Options)
            .Where(mistake => properties.Any(property => mistake.Key == $"{ServeOptions.Section}:{property}"))
            .Select(static mistake => mistake.Text)];

    private static IEnumerable<string> Check(IConfiguration configuration, ServeOptions options)
    {
        // A conflict with an option of another section is reported with all other mistakes, and not by a start that breaks off.
        using var provider = new ServiceCollection().AddSingleton(configuration).AddOptionSections()
            .Configure<TokenOptions>(tokens => tokens.Keys = options.TokenKeys)
            .BuildServiceProvider();
        try
        {
            provider.GetRequiredService<IStartupValidator>().Validate();
            return [];
        }
        catch (OptionsValidationException exception)
        {
            return exception.Failures;
        }
        catch (AggregateException exception)
        {
            return [.. exception.InnerExceptions.OfType<OptionsValidationException>().SelectMany(static one => one.Failures)];
        }
    }
}
