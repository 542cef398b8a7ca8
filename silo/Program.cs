using System.Net.Sockets;
using System.Security.Cryptography;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Repository;
using Cluster.Silo.Clustering;
using Cluster.Silo.Hosting;
using Cluster.Silo.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

const int StartFailed = 1;
const int UsageError = 64;
const string OptionsFile = "appsettings.json";

return await ServeCommand.InvokeAsync(ServeCommand.Create(RunAsync, ProbeAsync).Parse(args, ServeCommand.Words));

static async Task<int> ProbeAsync(GivenOptions given)
{
    var read = ServeConfiguration.Read(given, OptionsFile);
    // Mistakes elsewhere in the options are the server's to report: it does not answer then.
    var mistakes = read.MistakesOf(nameof(ServeOptions.HttpPort), nameof(ServeOptions.TlsCert), nameof(ServeOptions.TlsKey));
    return mistakes.Count > 0 ? await RefuseAsync(mistakes, UsageError) : await HealthProbe.RunAsync(read.Options, Console.Out, CancellationToken.None);
}

static async Task<int> RunAsync(GivenOptions given)
{
    var read = ServeConfiguration.Read(given, OptionsFile);
    string[] mistakes = [.. read.Mistakes, .. ServePaths.Check(read)];
    if (mistakes.Length > 0)
    {
        return await RefuseAsync(mistakes, read.Mistakes.Count > 0 ? UsageError : StartFailed);
    }

    var options = read.Options;
    try
    {
        while (await RunOnceAsync(options, read.Configuration))
        {
            // A silo that was declared dead, such as after a suspension of its machine, comes back as a new one.
        }

        return 0;
    }
    catch (Exception exception) when (exception is RepositoryConfigurationException or OpenVinoException or IOException or CryptographicException or TimeoutException)
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

static async Task<int> RefuseAsync(IReadOnlyCollection<string> mistakes, int code)
{
    foreach (var mistake in mistakes)
    {
        await Console.Error.WriteLineAsync($"error: {mistake}");
    }

    if (code == UsageError)
    {
        await Console.Error.WriteLineAsync("See ./serve --help and docs/options.md.");
    }

    return code;
}

// True: the cluster has declared this silo dead, and it is to start again.
static async Task<bool> RunOnceAsync(ServeOptions options, IConfiguration configuration)
{
    var app = ServeHost.Build(options, configuration);

    // Lasts until the parts are disposed of, which may hang too.
    using var limit = new StopLimit(app, options);
    await using (app)
    {
        var standing = app.Services.GetRequiredService<ClusterStanding>();
        try
        {
            await app.StartAsync();
        }
        catch
        {
            // Started parts are disposed within the same limit, and then the mistake is reported.
            limit.Begin();
            throw;
        }

        try
        {
            await app.WaitForShutdownAsync();
        }
        finally
        {
            limit.EndRuns();
        }

        return standing.Removal is not null;
    }
}
