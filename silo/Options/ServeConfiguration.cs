using Microsoft.Extensions.Configuration;

namespace Cluster.Silo.Options;

/// <summary>Everything that was set from outside, read and checked.</summary>
/// <param name="Options">Valid only without mistakes.</param>
/// <param name="Configuration">What the options were read from, for settings of the parts.</param>
/// <param name="Mistakes">Empty if there is none.</param>
internal sealed record ServeConfiguration(ServeOptions Options, IConfiguration Configuration, IReadOnlyList<string> Mistakes)
{
    /// <summary>Puts together the command line, which wins, the environment and the file, which yields to both.</summary>
    /// <param name="given">The options of the command line, as configuration keys.</param>
    /// <param name="file">A JSON file; it need not exist.</param>
    public static ServeConfiguration Read(IReadOnlyDictionary<string, string?> given, string file)
    {
        var options = new ServeOptions();
        IConfiguration configuration = new ConfigurationBuilder().Build();
        try
        {
            configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(file), optional: true)
                .AddEnvironmentVariables()
                .AddInMemoryCollection(given)
                .Build();
            configuration.GetSection(ServeOptions.Section).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new ServeConfiguration(options, configuration, [$"{exception.Message} {exception.InnerException?.Message}".TrimEnd()]);
        }

        var mistakes = ServeOptionsValidator.Validate(options);
        options.Models ??= options.Config is null ? "models" : null;
        return new ServeConfiguration(options, configuration, mistakes);
    }
}
