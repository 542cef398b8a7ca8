using System.Runtime.CompilerServices;
using System.Text.Json;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Reload;

/// <summary>What an operator does to a server, and sees of it.</summary>
internal sealed class ReloadServer(ServerProcess server) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly HttpClient _http = new() { BaseAddress = new Uri(server.HttpUrl) };
    private readonly GrpcClient _grpc = new(server.GrpcTarget);
    private readonly GrpcInferClient _infer = new(server.GrpcTarget);

    /// <summary>What the model adds to its input now, or null where it does not answer.</summary>
    public async Task<float?> AddsAsync(string model)
    {
        try
        {
            return (await _infer.InferAsync(model, [RawTensor.Fp32("INPUT0", [1], [0f])])).Single().ToFloats()[0];
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The index' row of a version.</summary>
    public async Task<(string State, string Reason)> RowAsync(string model, long version)
    {
        var index = await _grpc.CallAsync("RepositoryIndex", new RepositoryIndexRequest(), RepositoryIndexResponse.Parser);
        var text = version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return index.Models.FirstOrDefault(row => row.Name == model && row.Version == text) is { } found ? (found.State, found.Reason) : ("", "");
    }

    /// <summary>How many requests a replica of the model runs at once.</summary>
    public async Task<int> ConcurrencyAsync(string model)
    {
        var config = await _grpc.CallAsync("ModelConfig", new ModelConfigRequest { Name = model }, ModelConfigResponse.Parser);
        return config.Config.InstanceGroup[0].Count;
    }

    /// <summary>POSTs nothing; returns the status.</summary>
    public async Task<int> PostAsync(string path)
    {
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content: null);
        var body = await answer.Content.ReadAsStringAsync();
        if (body.Length > 0)
        {
            using var json = JsonDocument.Parse(body);
        }

        return (int)answer.StatusCode;
    }

    /// <summary>Looks until it is so.</summary>
    /// <exception cref="TimeoutException">It did not become so; the message says what.</exception>
    public async Task UntilAsync(Func<Task<bool>> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        using var timer = new PeriodicTimer(Look);
        var start = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                var log = server.Output;
                throw new TimeoutException($"not so within {Patience.TotalSeconds:0} s: {what}\n{log[^Math.Min(log.Length, 3000)..]}");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _grpc.Dispose();
        _infer.Dispose();
    }
}
