using System.Net.Sockets;
using Cluster.Bench.Clients;
using Cluster.Bench.Measurement;

namespace Cluster.Bench.Silos;

/// <summary>One measured combination, closed loop over gRPC. Times in microseconds.</summary>
/// <param name="Of">What was measured, such as "one process".</param>
/// <param name="ServerCpuMicros">Processor time of all server processes a request.</param>
/// <param name="OthersPercent">Part of the machine that other processes took meanwhile.</param>
internal sealed record Cell(
    string Of,
    string Model,
    int InFlight,
    double RequestsPerSecond,
    double P50Micros,
    double P99Micros,
    double? ServerCpuMicros,
    double OthersPercent,
    long Failures,
    string? FirstFailure)
{
    /// <summary>Sends one model's request over and over; each connection's first answer is checked value by value.</summary>
    /// <param name="server">Its gRPC end point and all its processes.</param>
    public static async Task<Cell> MeasureAsync(
        string of, Target server, InferWorkload workload, int inFlight, ClusterSettings settings, CancellationToken cancellationToken)
    {
        var connections = new List<GrpcConnection>();
        try
        {
            var message = GrpcRequest.Build(workload);
            var count = Math.Min(inFlight, settings.Connections);
            for (var i = 0; i < count; i++)
            {
                connections.Add(new GrpcConnection(server.Grpc, message, (inFlight / count) + (i < inFlight % count ? 1 : 0)));
                if (!connections[i].AskOnce().SequenceEqual(workload.Expected))
                {
                    throw new InvalidDataException($"model '{workload.Model}' gave a wrong answer");
                }
            }

            return From(of, workload.Model, inFlight, await LoadRunner.RunAsync(connections, settings.Plan, server.Processes, cancellationToken));
        }
        catch (Exception error) when (error is IOException or SocketException or InvalidDataException)
        {
            return new Cell(of, workload.Model, inFlight, 0, 0, 0, null, 0, 1, error.Message);
        }
        finally
        {
            connections.ForEach(static connection => connection.Dispose());
        }
    }

    private static Cell From(string of, string model, int inFlight, LoadResult result) => new(
        of,
        model,
        inFlight,
        Math.Round(result.RequestsPerSecond, 1),
        Math.Round(result.P50Microseconds, 1),
        Math.Round(result.P99Microseconds, 1),
        result.ServerCpuMicroseconds is { } cpu ? Math.Round(cpu, 1) : null,
        Math.Round(result.OthersPercent, 1),
        result.Failures,
        result.FirstFailure);
}
