using Cluster.Silo.Hosting;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Cluster.Unit.Tracing;

/// <summary>Processes as <c>./serve</c> composes them, on free ports of 127.0.0.1, inside this one.</summary>
internal static class ServeHosts
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    /// <param name="settings">Options by configuration key.</param>
    public static async Task<WebApplication> StartAsync(params (string Key, string Value)[] settings)
    {
        var values = new Dictionary<string, string?>
        {
            ["Cluster:HttpPort"] = "0",
            ["Cluster:GrpcPort"] = "0",
            ["Cluster:SiloPort"] = "0",
            ["Cluster:LogLevel"] = "Error",
        };
        foreach (var (key, value) in settings)
        {
            values[key] = value;
        }

        var read = ServeConfiguration.Read(new GivenOptions(values, []), "none.json");
        Assert.Empty(read.Mistakes);
        var app = ServeHost.Build(read.Options, read.Configuration);
        await app.StartAsync().Soon("the start of a process");
        return app;
    }

    /// <summary>Stops and disposes it.</summary>
    public static async Task EndAsync(this WebApplication app)
    {
        await app.StopAsync().Soon("the stop of a process");
        await app.DisposeAsync();
    }

    /// <summary>Asks for a path until it answers 200.</summary>
    /// <exception cref="TimeoutException">It does not; the message has the last answer.</exception>
    public static async Task UntilOkAsync(this HttpClient http, string path, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Look);
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(start) > Wait.Limit)
            {
                throw new TimeoutException($"{path} still answers {(int)answer.StatusCode} after {Wait.Limit.TotalSeconds:0} s");
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
