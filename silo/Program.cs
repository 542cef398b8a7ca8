using System.CommandLine;
using System.Net.Sockets;
using Cluster.Grains.Repository;
using Cluster.Silo.Hosting;
using Cluster.Silo.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

const int StartFailed = 1;
const int UsageError = 64;

var parsed = ServeCommand.Create(RunAsync, ProbeAsync).Parse(args);
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

static async Task<int> ProbeAsync(IReadOnlyDictionary<string, string?> given)
{
    // Mistakes elsewhere in the options are the server's to report: it does not answer then.
    var options = ServeConfiguration.Read(given, "appsettings.json").Options;
    return await HealthProbe.RunAsync(options, Console.Out, CancellationToken.None);
}

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
        while (await RunOnceAsync(options, configuration))
        {
            // A silo that was declared dead, such as after a suspension of its machine, comes back as a new one.
        }

        return 0;
    }
    catch (Exception exception) when (exception is RepositoryConfigurationException or IOException or TimeoutException)
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

// True: the cluster has declared this silo dead, and it is to start again.
static async Task<bool> RunOnceAsync(ServeOptions options, IConfiguration configuration)
{
    await using var app = ServeHost.Build(options, configuration);
    var standing = app.Services.GetService<IClusterStanding>();
    await app.RunAsync();
    return standing is { Removal: not null };
}
