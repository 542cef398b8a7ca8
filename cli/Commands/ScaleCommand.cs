using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>scale MODEL --min N --max N</c>: replica bounds in place of those of a model's settings.</summary>
internal static class ScaleCommand
{
    private const int Largest = 1000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    public static Command Create(Verbs verbs)
    {
        var model = new Argument<string>("MODEL");
        var least = new Option<int?>("--min") { HelpName = "COUNT", Description = "The least replicas of a version in memory, each on another silo; else as its settings say" };
        var most = new Option<int?>("--max") { HelpName = "COUNT", Description = "The most replicas of a version; else as its settings say" };
        var reset = new Option<bool>("--reset") { Description = "Leave both to its settings again" };
        var wait = new Option<bool>("--wait") { Description = "Wait until as many replicas answer as are to; needs observe" };
        least.TakesAtLeastOne(Largest);
        most.TakesAtLeastOne(Largest);
        var command = verbs.Create("scale", "Sets how many replicas of a model there are to be, in place of its settings' bounds; needs manage.", async (session, parsed, cancellationToken) =>
        {
            var (name, from, to) = (parsed.GetRequiredValue(model), parsed.GetValue(least), parsed.GetValue(most));
            var answer = await SetAsync(session.Client, name, from, to, cancellationToken);
            if (parsed.GetValue(wait))
            {
                await UntilScaledAsync(session, name, cancellationToken);
            }

            return session.Output.Done(answer, from is null && to is null ? $"model '{name}' has as many replicas as its settings say" : $"model '{name}' has {Words(from, to)}");
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(reset) is null == (result.GetResult(least) is null && result.GetResult(most) is null))
            {
                result.AddError("expected --min, --max or both, or else --reset");
            }
        });
        command.Arguments.Add(model);
        foreach (var option in new Option[] { least, most, reset, wait })
        {
            command.Options.Add(option);
        }

        return command;
    }

    /// <summary>Sets a model's bounds; null is as its settings say.</summary>
    public static async Task<JsonNode> SetAsync(ClusterClient client, string model, int? least, int? most, CancellationToken cancellationToken)
    {
        using var body = new StringContent(new JsonObject { ["min_copies"] = least, ["max_copies"] = most }.ToJsonString(), Encoding.UTF8, "application/json");
        return await client.PostAsync(Paths.Scale(model), body, cancellationToken);
    }

    /// <summary>As <c>at least 2 and at most 4 replicas</c>.</summary>
    public static string Words(double? least, double? most)
    {
        var bounds = new[] { least is null ? "" : string.Create(CultureInfo.InvariantCulture, $"at least {least}"), most is null ? "" : string.Create(CultureInfo.InvariantCulture, $"at most {most}") };
        return $"{string.Join(" and ", bounds.Where(static bound => bound.Length > 0))} replicas";
    }

    private static async Task UntilScaledAsync(Session session, string model, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Look, session.Surroundings.Time);
        while ((await session.Client.GetAsync(Paths.Cluster, cancellationToken)).List("models").FirstOrDefault(entry => entry.Text("name") == model) is { } known
            && known.List("versions").Any(static version => version.Number("desired_copies") is { } desired && ClusterRows.Serving(version) != desired))
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
