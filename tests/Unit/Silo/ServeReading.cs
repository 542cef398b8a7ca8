using Cluster.Silo.Options;
using Xunit;

namespace Cluster.Unit.Silo;

/// <summary>
/// Reads options as the start of a process does. What reads the environment of this process, or sets variables in it, is one collection: one test at a time.
/// </summary>
internal static class ServeReading
{
    public const string NoFile = "/nonexistent/appsettings.json";

    public static ServeConfiguration Read(string key, string value) => Read(NoFile, ("Cluster:" + key, value));

    public static ServeConfiguration Read(string file, params (string Key, string Value)[] given) =>
        ServeConfiguration.Read(new GivenOptions(given.ToDictionary(pair => pair.Key, string? (pair) => pair.Value), []), file);

    public static async Task<IReadOnlyDictionary<string, string?>> GivenAsync(params string[] arguments)
    {
        var given = await ParseAsync(arguments);
        Assert.Empty(given.Mistakes);
        return given.Values;
    }

    public static async Task<GivenOptions> ParseAsync(params string[] arguments)
    {
        GivenOptions? given = null;
        var command = ServeCommand.Create(Take, Take);
        Assert.Equal(5, await ServeCommand.InvokeAsync(command.Parse(arguments, ServeCommand.Words)));
        return given!;

        Task<int> Take(GivenOptions options)
        {
            given = options;
            return Task.FromResult(5);
        }
    }
}
