using System.Net.Sockets;
using Cluster.Bench.Clients;
using Cluster.Bench.Framework;
using Cluster.Bench.Measurement;
using Cluster.Bench.Server;
using Cluster.Contracts.Errors;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Overhead;

/// <summary>Measures one model after the other, each in every way; never two at once.</summary>
internal sealed class OverheadMeasurement(OverheadSettings settings, ServerUnderTest server, TextWriter progress)
{
    /// <summary>In-process threads that "saturated" compares with.</summary>
    private const int InProcessThreads = 2;

    /// <summary>How far an answer may lie from ours: kernels may add in another order.</summary>
    private const float Tolerance = 1e-4f;

    public async Task<OverheadModelReport> RunAsync(OverheadModel model, string file, CancellationToken cancellationToken)
    {
        using var runtime = Load(model, file);
        var workload = runtime.Workload;
        var saturating = settings.Concurrency ?? model.Saturating;
        var cells = new List<OverheadCell>
        {
            await InProcessAsync(runtime, 1, cancellationToken),
            await InProcessAsync(runtime, InProcessThreads, cancellationToken),
        };
        foreach (var way in new[] { Way.Grpc, Way.Rest })
        {
            cells.Add(await ServedAsync(way, workload, model.Identity, 1, saturated: false, cancellationToken));
            cells.Add(await ServedAsync(way, workload, model.Identity, saturating, saturated: true, cancellationToken));
        }

        return new OverheadModelReport(
            model.Name,
            model.Note,
            workload.Input.LongLength * sizeof(float),
            workload.Expected.LongLength * sizeof(float),
            null,
            cells,
            OverheadRatio.All(cells));
    }

    private static InProcessRuntime Load(OverheadModel model, string file)
    {
        try
        {
            return new InProcessRuntime(model, file);
        }
        catch (OnnxRuntimeException error)
        {
            throw new BenchmarkException($"{model.File} does not run in process: {error.Message}");
        }
    }

    private async Task<OverheadCell> InProcessAsync(InProcessRuntime runtime, int threads, CancellationToken cancellationToken)
    {
        Say(runtime.Workload, Way.InProcess, threads);
        var workers = Enumerable.Range(0, threads).Select(_ => runtime.CreateWorker()).ToArray();
        try
        {
            var result = await LoadRunner.RunAsync(workers, settings.Plan, [], cancellationToken);
            return OverheadCell.From(Way.InProcess, threads, 0, threads > 1, result);
        }
        finally
        {
            DisposeAll(workers);
        }
    }

    private async Task<OverheadCell> ServedAsync(
        Way way, InferWorkload workload, bool identity, int concurrency, bool saturated, CancellationToken cancellationToken)
    {
        Say(workload, way, concurrency);
        var connections = new List<IInferConnection>();
        try
        {
            Connect(connections, way, workload, concurrency);
            foreach (var connection in connections)
            {
                Check(connection.AskOnce(), workload, identity);
            }

            var result = await LoadRunner.RunAsync(connections, settings.Plan, server.ProcessId is { } id ? [id] : [], cancellationToken);
            return OverheadCell.From(way, concurrency, connections.Count, saturated, result);
        }
        catch (Exception error) when (error is IOException or SocketException or InvalidDataException or ServingException)
        {
            return OverheadCell.Failed(way, concurrency, connections.Count, saturated, error.Message);
        }
        finally
        {
            DisposeAll(connections);
        }
    }

    private void Connect(List<IInferConnection> connections, Way way, InferWorkload workload, int concurrency)
    {
        if (way == Way.Rest)
        {
            var request = RestRequest.Build(workload, server.Http);
            for (var i = 0; i < concurrency; i++)
            {
                connections.Add(new RestConnection(server.Http, request));
            }

            return;
        }

        var message = GrpcRequest.Build(workload);
        var count = Math.Min(concurrency, settings.Connections);
        for (var i = 0; i < count; i++)
        {
            connections.Add(new GrpcConnection(server.Grpc, message, (concurrency / count) + (i < concurrency % count ? 1 : 0)));
        }
    }

    private static void Check(ReadOnlySpan<float> output, InferWorkload workload, bool identity)
    {
        if (identity ? output.SequenceEqual(workload.Input) : IsClose(output, workload.Expected))
        {
            return;
        }

        throw new InvalidDataException(
            $"model '{workload.Model}' answered {output.Length} values that are not the {workload.Expected.Length} expected");
    }

    private static bool IsClose(ReadOnlySpan<float> output, float[] expected)
    {
        if (output.Length != expected.Length)
        {
            return false;
        }

        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(output[i] - expected[i]) <= Tolerance * Math.Max(1, Math.Abs(expected[i]))))
            {
                return false;
            }
        }

        return true;
    }

    private static void DisposeAll(IEnumerable<IDisposable> workers)
    {
        foreach (var worker in workers)
        {
            worker.Dispose();
        }
    }

    private void Say(InferWorkload workload, Way way, int concurrency) =>
        progress.WriteLine($"{workload.Model}: {way}, {concurrency} in flight");
}
