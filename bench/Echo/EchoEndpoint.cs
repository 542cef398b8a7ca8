using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Server;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Hosting;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Bench.Echo;

/// <summary>The process that a served request is compared with: the gateway's limits of Kestrel, the library, and <see cref="EchoService"/>.</summary>
internal static class EchoEndpoint
{
    /// <summary>The first argument of the process.</summary>
    public const string Command = "echo-endpoint";

    /// <summary>The server's settings of the runtime, in place of those of this program. The silo's project file has them.</summary>
    private static readonly Dictionary<string, string> ServerRuntime = new() { ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "20" };

    /// <summary>Starts the process on a free port of 127.0.0.1 and waits for its first right answer.</summary>
    /// <param name="floats">Of the identity that it answers, each way.</param>
    /// <exception cref="BenchmarkException">It did not start.</exception>
    public static async Task<EchoProcess> StartAsync(int floats, CancellationToken cancellationToken)
    {
        var server = new IPEndPoint(IPAddress.Loopback, FreePorts.Take(1)[0]);
        var process = ChildProcess.Start(Environment.ProcessPath!, [Command, Text(server.Port), Text(floats)], ServerRuntime);
        try
        {
            await WaitAsync(process, cancellationToken);
            return new EchoProcess(process, new Target(server, server, [process.Id]));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the process does until it is stopped.</summary>
    /// <param name="arguments">Those of <see cref="StartAsync"/>, without the command: port, floats.</param>
    public static async Task RunAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureGrpcLimits(new LimitOptions().StreamsPerConnection);
            kestrel.Listen(IPAddress.Loopback, Number(arguments[0]), static listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<IServiceMethodProvider<EchoService>, EchoMethods>();
        builder.Services.AddSingleton(new EchoService(AnswerTo(Workload.Identity(Number(arguments[1])))));
        await using var app = builder.Build();
        app.MapGrpcService<EchoService>();
        app.Lifetime.ApplicationStarted.Register(static () => Console.WriteLine(Command));
        stop.Register(app.Lifetime.StopApplication);
        await app.RunAsync();
    }

    private static byte[] AnswerTo(Workload workload) => new ModelInferResponse
    {
        ModelName = workload.Model,
        ModelVersion = "1",
        Outputs = { new ModelInferResponse.Types.InferOutputTensor { Name = workload.OutputName, Datatype = "FP32", Shape = { workload.Shape } } },
        RawOutputContents = { ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(workload.Expected)) },
    }.ToByteArray();

    private static async Task WaitAsync(ChildProcess process, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        while (!process.Tail().Contains(Command, StringComparison.Ordinal))
        {
            if (!process.IsRunning)
            {
                throw new BenchmarkException($"the echo endpoint ended{process.Tail()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), timeout.Token);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>An <see cref="EchoEndpoint"/> in a process of its own; ended on disposal.</summary>
internal sealed class EchoProcess(ChildProcess process, Target target) : IAsyncDisposable
{
    public Target Target => target;

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
