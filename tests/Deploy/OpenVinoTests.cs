using System.Globalization;
using System.Text.Json;
using Cluster.Deploy.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy;

/// <summary>The image and the profile <c>openvino</c>: one silo with OpenVINO beside those without.</summary>
public sealed class OpenVinoTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    private const string OnCpu = "digits";
    private const string OnOpenVino = "digits-openvino";
    private const string Service = "silo-openvino";
    private static readonly string[] Profile = ["--profile", "openvino"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(cluster.HttpUrl), Timeout = TimeSpan.FromSeconds(30) };

    [Fact]
    public async Task Profile_BesidePlainSilos_RunsAModelOnOpenVinoWithTheCpusAnswer()
    {
        Tests.Common.Requires.NoLack(OpenVinoWheel.Lack);
        AddModel();
        try
        {
            var (refused, why) = await PostAsync($"/v2/repository/models/{OnOpenVino}/load", "");
            Assert.Equal((503, true), (refused, why.Contains("of 3 there are 3 without OpenVINO", StringComparison.Ordinal)));
            var start = TimeProvider.System.GetTimestamp();
            await Cluster.ComposeAsync([.. Profile, "build", Service]);
            var built = TimeProvider.System.GetElapsedTime(start);
            await Cluster.ComposeAsync([.. Profile, "up", "-d", "--no-deps", Service]);

            // Nothing is asked for it again: the silo that comes has what it needs.
            await Cluster.UntilAsync(static view => view.SilosOf(OnOpenVino).Count == 1, Soon);
            Figures.Report(string.Create(
                CultureInfo.InvariantCulture,
                $"image with OpenVINO built in {built.TotalSeconds:0.0} s; its silo serves a model that waited for it {(TimeProvider.System.GetElapsedTime(start) - built).TotalSeconds:0.0} s after the command"));
            var container = Assert.Single(await Cluster.ContainersAsync(Service));
            Assert.Contains(await Cluster.AddressAsync(container) + ":", Assert.Single((await Cluster.ViewAsync()).SilosOf(OnOpenVino)), StringComparison.Ordinal);
            Assert.Equal("openvino", await ProviderAsync(OnOpenVino));
            Assert.Equal("cpu", await ProviderAsync(OnCpu));
            Assert.Equal(await AnswerAsync(OnCpu), await AnswerAsync(OnOpenVino));
            Assert.Matches("\"runtimes\":\\[\"1.24.1 with OpenVINO [0-9.]+ on CPU\",\"1.31.1\"\\]", await _http.GetStringAsync(new Uri("/v2", UriKind.Relative)));
            await CheckCacheAsync(container);
        }
        finally
        {
            await Cluster.ComposeAsync([.. Profile, "rm", "--stop", "--force", Service]);
            await PostAsync($"/v2/repository/models/{OnOpenVino}/unload", "");
            Directory.Delete(Path.Combine(Cluster.Models, OnOpenVino), recursive: true);
            await Engine.DockerAsync("rmi", "--force", Cluster.SiloOpenVinoImage);
            await Cluster.WholeAsync(ComposeCluster.Silos, Soon);
        }
    }

    private void AddModel()
    {
        var folder = Path.Combine(Cluster.Models, OnOpenVino);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Cluster.Models, OnCpu), "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(Path.Combine(Cluster.Models, OnCpu), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        File.WriteAllText(Path.Combine(folder, "model.json"), """{"execution_provider": "openvino", "provider_options": {"cache": true}}""");
    }

    /// <summary>The compiled graph is in the volume, which the silo's user alone may enter: the rest of its files are read-only.</summary>
    private static async Task CheckCacheAsync(string container)
    {
        var process = (await Engine.InspectAsync(container)).GetProperty("State").GetProperty("Pid").GetInt32();
        var folder = Assert.Single(Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/root/openvino/cache")));
        Assert.Single(Directory.EnumerateFiles(folder, "*.blob"));
    }

    private async Task<string?> ProviderAsync(string model)
    {
        using var metadata = JsonDocument.Parse(await _http.GetStringAsync(new Uri($"/v2/models/{model}", UriKind.Relative)));
        return metadata.RootElement.GetProperty("properties").GetProperty("execution_provider").GetString();
    }

    /// <summary>The outputs of the README's example.</summary>
    private async Task<string> AnswerAsync(string model)
    {
        var (status, answer) = await PostAsync($"/v2/models/{model}/infer", await File.ReadAllTextAsync(Path.Combine(Cluster.Root, "examples", "seven.json")));
        Assert.True(status == 200, answer);
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("outputs").GetRawText();
    }

    private async Task<(int Status, string Answer)> PostAsync(string path, string body)
    {
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
