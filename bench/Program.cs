using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Bench.Attacks;
using Cluster.Bench.Echo;
using Cluster.Bench.Framework;
using Cluster.Bench.Messaging;

const int Failed = 1;
const int UsageError = 64;

using var stopping = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopping.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    if (args is [EchoSilo.Command, var port, .. var certificates])
    {
        await EchoSilo.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), EchoCertificates.Of(certificates.FirstOrDefault()));
        return 0;
    }

    if (args is [AttackProcess.Command, .. var attack])
    {
        await AttackProcess.RunAsync(attack, stopping.Token);
        return 0;
    }

    if (args is [EchoEndpoint.Command, .. var echo])
    {
        await EchoEndpoint.RunAsync(echo, stopping.Token);
        return 0;
    }

    if (args is ["list"] or ["--help"] or ["-h"] or ["help"])
    {
        Usage.Write(Console.Out);
        return 0;
    }

    if (args.Length == 0)
    {
        throw new UsageException("name a benchmark");
    }

    var benchmark = Catalog.Find(args[0]);
    var root = RepositoryRoot.Find();
    var context = new BenchContext(BenchArguments.Parse(args.AsSpan(1), benchmark.Options), root, Console.Error, TimeProvider.System);
    var report = await benchmark.RunAsync(context, stopping.Token);
    await Console.Out.WriteAsync(report.Text);
    Console.WriteLine($"report: {ReportFiles.Write(root, benchmark.Name, TimeProvider.System.GetUtcNow(), report)} (and .json)");
    return report.Failures == 0 ? 0 : Failed;
}
catch (UsageException error)
{
    await Console.Error.WriteLineAsync($"bench: {error.Message}\n");
    Usage.Write(Console.Error);
    return UsageError;
}
catch (BenchmarkException error)
{
    await Console.Error.WriteLineAsync($"bench: {error.Message}");
    return Failed;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("bench: stopped; no report is written");
    return Failed;
}
