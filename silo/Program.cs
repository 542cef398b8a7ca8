using Cluster.Grains.Repository;
using Cluster.Silo.Hosting;
using Cluster.Silo.Options;

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

return await parsed.InvokeAsync();

static async Task<int> RunAsync(IReadOnlyDictionary<string, string?> given)
{
    var (options, configuration, mistakes) = ServeConfiguration.Read(given, "appsettings.json");
    foreach (var mistake in mistakes)
    {
        await Console.Error.WriteLineAsync($"error: {mistake}");
    }

    if (mistakes.Count > 0)
    {
        return UsageError;
    }

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
