using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Reload;

/// <summary>One round of everything that can happen to a repository; each change is seen to take effect before the next.</summary>
internal sealed class RepositoryChanges(ModelFolder models, ReloadServer server)
{
    /// <summary>The model whose versions and settings change while it is asked for.</summary>
    public const string Changing = "changing";

    /// <summary>The model that the API unloads and loads.</summary>
    public const string Managed = "managed";

    private const string Other = "other";
    private const int Version = 2;

    private readonly SortedDictionary<string, int> _done = [];

    /// <summary>How often each change was made.</summary>
    public IReadOnlyDictionary<string, int> Done => _done;

    /// <summary>The file that adds <paramref name="adds"/> to its input.</summary>
    public static string ContentOf(int adds) => Path.Combine(
        TestPaths.TestModels, "multi", adds.ToString(System.Globalization.CultureInfo.InvariantCulture), "model.onnx");

    /// <summary>Ends with the repository as it was found: <see cref="Changing"/> with a version 1 that adds 1.</summary>
    public async Task RunAsync()
    {
        await DoAsync("version added", AddVersionAsync);
        await DoAsync("content replaced", ReplaceAsync);
        await DoAsync("content broken (garbage)", () => BreakAsync(keeps: 3, static file => File.WriteAllBytes(file, new byte[4096])));
        await DoAsync("content repaired", () => PutAsync(adds: 2));
        await DoAsync("content broken (truncated)", () => BreakAsync(keeps: 2, Truncate));
        await DoAsync("content repaired", () => PutAsync(adds: 3));
        await DoAsync("settings changed", ChangeSettingsAsync);
        await DoAsync("settings broken", BreakSettingsAsync);
        await DoAsync("settings removed", RemoveSettingsAsync);
        await DoAsync("broken version added", AddBrokenVersionAsync);
        await DoAsync("version removed", RemoveVersionAsync);
        await DoAsync("other model added", AddOtherAsync);
        await DoAsync("reload asked for", async () => Assert.Equal(200, await server.PostAsync("/v1/config/reload")));
        await DoAsync("other model removed", RemoveOtherAsync);
        await DoAsync("model unloaded", UnloadAsync);
        await DoAsync("model loaded", LoadAsync);
    }

    private static void Truncate(string file)
    {
        var whole = File.ReadAllBytes(ContentOf(1));
        File.WriteAllBytes(file, whole[..(whole.Length / 2)]);
    }

    private async Task DoAsync(string name, Func<Task> change)
    {
        await change();
        _done[name] = _done.GetValueOrDefault(name) + 1;
    }

    private async Task AddVersionAsync()
    {
        models.AddVersion(Changing, Version, ContentOf(2));
        await server.UntilAsync(async () => await server.AddsAsync(Changing) == 2);
    }

    private async Task ReplaceAsync() => await PutAsync(adds: 3);

    private async Task PutAsync(int adds)
    {
        models.AddVersion(Changing, Version, ContentOf(adds));
        await server.UntilAsync(async () => await server.AddsAsync(Changing) == adds);
        await server.UntilAsync(async () => await server.RowAsync(Changing, Version) == ("READY", ""));
    }

    private async Task BreakAsync(int keeps, Action<string> write)
    {
        var file = Path.GetTempFileName();
        write(file);
        models.AddVersion(Changing, Version, file);
        File.Delete(file);
        await server.UntilAsync(async () => await server.RowAsync(Changing, Version) is { State: "READY", Reason.Length: > 0 });
        Assert.Equal(keeps, await server.AddsAsync(Changing));
    }

    private async Task ChangeSettingsAsync()
    {
        var concurrency = await server.ConcurrencyAsync(Changing) + 3;
        WriteSettings($$"""{"concurrency": {{concurrency}} }""");
        await server.UntilAsync(async () => await server.ConcurrencyAsync(Changing) == concurrency);
    }

    private async Task BreakSettingsAsync()
    {
        var concurrency = await server.ConcurrencyAsync(Changing);
        WriteSettings("""{"concurrency": "many" """);
        await server.UntilAsync(async () => (await server.RowAsync(Changing, Version)).Reason.Contains("model.json", StringComparison.Ordinal));
        Assert.Equal((3f, concurrency), (await server.AddsAsync(Changing), await server.ConcurrencyAsync(Changing)));
    }

    private async Task RemoveSettingsAsync()
    {
        var concurrency = await server.ConcurrencyAsync(Changing);
        File.Delete(Path.Combine(models.Path, Changing, "model.json"));
        await server.UntilAsync(async () => await server.ConcurrencyAsync(Changing) != concurrency);
        await server.UntilAsync(async () => await server.RowAsync(Changing, Version) == ("READY", ""));
    }

    private async Task AddBrokenVersionAsync()
    {
        const int Broken = 9;
        models.AddVersion(Changing, Broken, Path.Combine(TestPaths.TestModels, "broken", "1", "model.onnx"));
        await server.UntilAsync(async () => await server.RowAsync(Changing, Broken) is { State: "UNAVAILABLE", Reason.Length: > 0 });
        Assert.Equal(3, await server.AddsAsync(Changing));
        Directory.Delete(Path.Combine(models.Path, Changing, "9"), recursive: true);
        await server.UntilAsync(async () => await server.RowAsync(Changing, Broken) == ("", ""));
    }

    private async Task RemoveVersionAsync()
    {
        Directory.Delete(Path.Combine(models.Path, Changing, "2"), recursive: true);
        await server.UntilAsync(async () => await server.AddsAsync(Changing) == 1);
        await server.UntilAsync(async () => await server.RowAsync(Changing, Version) == ("", ""));
    }

    private async Task AddOtherAsync()
    {
        models.AddVersion(Other, 1, ContentOf(2));
        await server.UntilAsync(async () => await server.AddsAsync(Other) == 2);
    }

    private async Task RemoveOtherAsync()
    {
        Directory.Delete(Path.Combine(models.Path, Other), recursive: true);
        await server.UntilAsync(async () => await server.AddsAsync(Other) is null);
        await server.UntilAsync(async () => await server.RowAsync(Other, 1) == ("", ""));
    }

    private async Task UnloadAsync()
    {
        Assert.Equal(200, await server.PostAsync($"/v2/repository/models/{Managed}/unload"));
        Assert.Null(await server.AddsAsync(Managed));
    }

    private async Task LoadAsync()
    {
        Assert.Equal(200, await server.PostAsync($"/v2/repository/models/{Managed}/load"));
        Assert.Equal(1, await server.AddsAsync(Managed));
    }

    /// <summary>Written aside and renamed, so that no poll sees half of it.</summary>
    private void WriteSettings(string text)
    {
        var temporary = Path.Combine(models.Path, $".{Changing}.tmp");
        File.WriteAllText(temporary, text);
        File.Move(temporary, Path.Combine(models.Path, Changing, "model.json"), overwrite: true);
    }
}
