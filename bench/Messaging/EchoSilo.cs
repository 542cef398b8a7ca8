using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Cluster.Bench.Messaging;

/// <summary>The other process of the benchmark: a silo with the echo grain, which says its address for clients and runs until its input ends.</summary>
internal static class EchoSilo
{
    /// <summary>The first argument of the process.</summary>
    public const string Command = "messaging-silo";

    public static async Task RunAsync(int port, PeerTlsFiles? tls)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.Configure<ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddEchoSilo(port, tls);
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString());
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await host.StopAsync();
    }
}
