using System.Diagnostics;
using Cluster.Bench.Framework;
using Cluster.Bench.Measurement;
using Cluster.Bench.Server;

namespace Cluster.Bench.OpenVino;

/// <summary>What loading one model takes, in a process that serves it alone.</summary>
/// <param name="Provider">With the word "cached" where compiled graphs are kept.</param>
/// <param name="FirstMs">Of the first load that was asked for, once the process was warm.</param>
/// <param name="NextMs">Median of those after it.</param>
/// <param name="ResidentMib">Afterwards, once free heap was given back.</param>
internal sealed record LoadingFigures(string Model, string Provider, double FirstMs, double NextMs, double ResidentMib)
{
    /// <summary>The server gives free heap back ten seconds after a load.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(12);

    private static readonly (string Provider, bool IsCached)[] Kinds = [(OpenVinoModel.Cpu, false), (OpenVinoModel.OpenVino, false), (OpenVinoModel.OpenVino, true)];

    /// <summary>On the CPU, on OpenVINO, and there with kept graphs.</summary>
    /// <exception cref="BenchmarkException">A load failed.</exception>
    public static async Task<List<LoadingFigures>> MeasureAsync(
        OpenVinoModel model, string silo, string openVino, int loads, TextWriter progress, CancellationToken cancellationToken)
    {
        var figures = new List<LoadingFigures>();
        foreach (var (provider, isCached) in Kinds)
        {
            var name = isCached ? $"{provider}, cached" : provider;
            await progress.WriteLineAsync($"loading {model.Name}, {name}");
            using var folder = new ModelFolder();
            folder.Add(model.Name, await File.ReadAllBytesAsync(model.File, cancellationToken), OpenVinoModel.Settings(provider, isCached));
            await using var server = await ServerProcess.StartAsync(silo, folder.Path, cancellationToken, "--openvino", openVino);
            using var http = new HttpClient { BaseAddress = new Uri($"http://{server.Http}/v2/repository/models/{model.Name}/") };
            var times = new List<double>();
            for (var load = 0; load <= loads; load++)
            {
                await PostAsync(http, "unload", cancellationToken);
                var start = Stopwatch.GetTimestamp();
                await PostAsync(http, "load", cancellationToken);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            await Task.Delay(Settled, cancellationToken);
            List<double> next = [.. times.Skip(1).Order()];
            figures.Add(new LoadingFigures(model.Name, name, times[0], next[next.Count / 2], ProcessMemory.NowMib(server.Id)));
        }

        return figures;
    }

    private static async Task PostAsync(HttpClient http, string what, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsync(new Uri(what, UriKind.Relative), content: null, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new BenchmarkException($"{what} of a model failed: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        }
    }
}
