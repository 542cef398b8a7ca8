using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>get models|silos|aliases|cluster [NAME]</c>.</summary>
internal static class GetCommand
{
    public static Command Create(Verbs verbs) => new("get", "Lists what there is.")
    {
        Listed(verbs, "models", "Models with their versions and replicas; needs observe.", "models", "name", ClusterRows.OfVersions, ClusterRows.Models),
        Listed(verbs, "silos", "Silos with their memory and work; needs observe.", "nodes", "silo", static silos => silos, ClusterRows.Silos),
        AliasCommand.CreateGet(verbs, "aliases", "Aliases with the models that they lead to."),
        verbs.Create("cluster", "The cluster in one line; the whole of it with -o json; needs observe.", static async (session, _, cancellationToken) =>
        {
            var cluster = await session.Client.GetAsync(Paths.Cluster, cancellationToken);
            session.Output.Write(cluster, [cluster], ClusterRows.Totals);
            return ExitCodes.Done;
        }),
    };

    /// <param name="member">The member of the cluster that has them.</param>
    /// <param name="key">The member that names one of them.</param>
    private static Command Listed(Verbs verbs, string kind, string help, string member, string key, Func<IEnumerable<JsonNode>, IEnumerable<JsonNode>> rows, Column[] columns)
    {
        var name = new Argument<string?>("NAME") { Arity = ArgumentArity.ZeroOrOne, Description = "The one of that name" };
        var command = verbs.Create(kind, help, async (session, parsed, cancellationToken) =>
        {
            var cluster = await session.Client.GetAsync(Paths.Cluster, cancellationToken);
            var wanted = parsed.GetValue(name);
            var found = wanted is null ? [.. cluster.List(member)] : Find([.. cluster.List(member)], key, wanted);
            if (wanted is not null && found.Count == 0)
            {
                throw CommandFailure.Failed($"{kind[..^1]} '{wanted}' is not found, or not to be read by this client");
            }

            session.Output.Write(wanted is not null && found is [var only] ? only : new JsonArray([.. found.Select(static item => item.DeepClone())]), rows(found), columns);
            return ExitCodes.Done;
        });
        command.Arguments.Add(name);
        return command;
    }

    /// <summary>An address is one silo's. A restarted silo shares its name with the dead member before it, so active members go before the others.</summary>
    private static List<JsonNode> Find(List<JsonNode> all, string key, string wanted)
    {
        var found = all.FindAll(item => item.Text(key) == wanted);
        if (found.Count == 0)
        {
            found = all.FindAll(item => item.Text("name") == wanted);
        }

        var active = found.FindAll(static item => item.Text("status") == "Active");
        return active.Count > 0 ? active : found;
    }
}
