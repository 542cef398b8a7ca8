using System.CommandLine;
using Cluster.Grains.Repository;
using Cluster.Silo.Hosting;
using Cluster.Silo.Options;
using Microsoft.Extensions.Configuration;

const int StartFailed = 1;
const int UsageError = 64;

var parsed = ServeCommand.Create(RunAsync).Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        await Console.Error.WriteLineAsync($"error: {error.Message}");
    }

    await Console.Error.WriteLineAsync("See ./serve --help.");
    return UsageError;
}

// The host itself ends the process on SIGTERM, when what runs has been answered; the command line would cut that short after two seconds.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

static async Task<int> RunAsync(IReadOnlyDictionary<string, string?> given)
{
    var configuration = new ConfigurationBuilder()
        .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
        .AddEnvironmentVariables()
        .AddInMemoryCollection(given)
        .Build();
    var options = new ServeOptions();
    try
    {
        configuration.GetSection(ServeOptions.Section).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
    }
    catch (InvalidOperationException exception)
    {
        await Console.Error.WriteLineAsync($"error: {exception.Message} {exception.InnerException?.Message}");
        return UsageError;
    }

    var mistakes = ServeOptionsValidator.Validate(options);
    foreach (var mistake in mistakes)
    {
        await Console.Error.WriteLineAsync($"error: {mistake}");
    }

    if (mistakes.Count > 0)
    {
        return UsageError;
    }

    options.Models ??= options.Config is null ? "models" : null;
    try
    {
        await using var app = SiloHost.Build(options, configuration);
        await app.RunAsync();
        return 0;
    }
    catch (Exception exception) when (exception is RepositoryConfigurationException or IOException)
    {
        await Console.Error.WriteLineAsync($"error: {exception.Message}");
        return StartFailed;
    }
}
