using System.CommandLine;
using System.Net.Sockets;
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

// The host itself ends the process on SIGTERM, when what runs has been answered; the command line would cut that short after two seconds.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

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
    catch (SocketException exception)
    {
        await Console.Error.WriteLineAsync($"error: cannot listen on {options.Bind}: {exception.Message}");
        return StartFailed;
    }
}
