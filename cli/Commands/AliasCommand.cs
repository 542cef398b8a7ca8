using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Contracts.Protocol.Mesh;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;

namespace Cluster.Cli.Commands;

/// <summary><c>alias set|get|show|clear|delete</c>.</summary>
internal static class AliasCommand
{
    private static readonly Column[] Columns =
    [
        new("ALIAS", static row => row.Text("vModelId")),
        new("MODEL", static row => row["status"].Text("activeModelId")),
        new("MOVES TO", static row => row["status"].Text("targetModelId") is var target && target != row["status"].Text("activeModelId") ? target : ""),
        new("STATUS", static row => row["status"].Text("status")),
        new("MODEL STATUS", static row => row["status"]?["activeModelStatus"].Text("status") ?? ""),
        new("TRAFFIC", static row => TrafficCommands.Words(row["traffic"])),
        new("OWNER", static row => row["status"].Text("owner"), IsWide: true),
    ];

    public static Command Create(Verbs verbs) => new("alias", "Other names for models, which can move between them.")
    {
        CreateSet(verbs),
        CreateGet(verbs, "get", "Aliases with the models that they lead to."),
        TrafficCommands.CreateShow(verbs),
        TrafficCommands.CreateClear(verbs),
        CreateDelete(verbs),
    };

    public static Command CreateGet(Verbs verbs, string name, string help)
    {
        var alias = new Argument<string?>("NAME") { Arity = ArgumentArity.ZeroOrOne, Description = "The one of that name" };
        var command = verbs.Create(name, help, async (session, parsed, cancellationToken) =>
        {
            var traffic = await RegistryLists.TrafficAsync(session.Client, cancellationToken);
            if (parsed.GetValue(alias) is not { } wanted)
            {
                var all = (await RegistryLists.AliasesAsync(session.Client, cancellationToken)).Select(entry => WithTraffic(entry, traffic)).ToList();
                session.Output.Write(new JsonArray([.. all]), all, Columns);
                return ExitCodes.Done;
            }

            var status = await session.Client.CallAsync(session.Client.Models.getVModelStatusAsync(new GetVModelStatusRequest { VModelId = wanted }, cancellationToken: cancellationToken));
            if (status.Status == AliasStatus.NotFound)
            {
                throw CommandFailure.Failed($"alias '{wanted}' is not found");
            }

            var entry = WithTraffic(new VModelEntry { VModelId = wanted, Status = status }, traffic);
            session.Output.Write(entry, [entry], Columns);
            return ExitCodes.Done;
        });
        command.Arguments.Add(alias);
        return command;
    }

    private static JsonNode WithTraffic(VModelEntry entry, Dictionary<string, JsonNode> traffic)
    {
        var row = entry.ToJson();
        row["traffic"] = traffic.GetValueOrDefault(entry.VModelId)?.DeepClone();
        return row;
    }

    private static Command CreateSet(Verbs verbs)
    {
        var alias = new Argument<string>("ALIAS");
        var model = new Argument<string>("MODEL") { Description = "The model; MODEL/VERSION with --canary or --shadow, for what the others are answered by" };
        var rule = new TrafficArguments();
        var expected = new Option<string?>("--expected") { HelpName = "MODEL", Description = "Fail unless the alias has this target now" };
        var force = new Option<bool>("--force") { Description = "Move at once, whether or not the model is loaded" };
        var wait = new Option<bool>("--wait") { Description = "Load the model, and wait until the alias has moved or cannot" };
        var command = verbs.Create("set", "Creates an alias, or has it move once its new model is loaded; needs manage for both.", async (session, parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(alias);
            var isWaiting = parsed.GetValue(wait);
            var target = ModelVersion.Parse(parsed.GetRequiredValue(model));
            var traffic = rule.Read(parsed, target.Version);
            var request = new SetVModelRequest
            {
                VModelId = name,
                TargetModelId = target.Model,
                ExpectedTargetModelId = parsed.GetValue(expected) ?? "",
                Force = parsed.GetValue(force),
                LoadNow = isWaiting,
                Sync = isWaiting,
            };
            var status = await session.Client.CallAsync(session.Client.Models.setVModelAsync(request, cancellationToken: cancellationToken));
            ModelStates.DemandMoving(name, status);
            if (isWaiting && status.ActiveModelStatus is { } active)
            {
                ModelStates.DemandLoadable(status.ActiveModelId, active);
            }

            if (traffic is not null)
            {
                var row = await TrafficCommands.SetAsync(session.Client, name, traffic, isWaiting, cancellationToken);
                return session.Output.Done(row, $"alias '{name}' is model '{row.Text("model")}': {TrafficCommands.Words(row["traffic"])}");
            }

            return session.Output.Done(
                status.ToJson(),
                status.Status == AliasStatus.Transitioning
                    ? $"alias '{name}' is model '{status.ActiveModelId}', and moves to '{status.TargetModelId}' once that is loaded"
                    : $"alias '{name}' is model '{status.ActiveModelId}'");
        });
        command.Arguments.Add(alias);
        command.Arguments.Add(model);
        command.Options.Add(expected);
        command.Options.Add(force);
        command.Options.Add(wait);
        rule.AddTo(command);
        return command;
    }

    private static Command CreateDelete(Verbs verbs)
    {
        var alias = new Argument<string>("ALIAS");
        var command = verbs.Create("delete", "Removes an alias; its models stay; needs manage.", async (session, parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(alias);
            var answer = await session.Client.CallAsync(session.Client.Models.deleteVModelAsync(new DeleteVModelRequest { VModelId = name }, cancellationToken: cancellationToken));
            return session.Output.Done(answer.ToJson(), $"alias '{name}' is removed");
        });
        command.Arguments.Add(alias);
        return command;
    }
}

/// <summary>A model, or one of its versions, as <c>digits/2</c>: no model's name has a slash.</summary>
internal readonly record struct ModelVersion(string Model, long? Version)
{
    /// <exception cref="CommandFailure">What follows the slash is no version.</exception>
    public static ModelVersion Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return new ModelVersion(text, null);
        }

        return long.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
            ? new ModelVersion(text[..slash], version)
            : throw CommandFailure.Usage($"'{text}' names no version after its slash, expected a number, at least 1");
    }

    public override string ToString() => Version is { } version ? string.Create(CultureInfo.InvariantCulture, $"{Model}/{version}") : Model;
}
