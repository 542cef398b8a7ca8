using System.CommandLine;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Manifests;
using Cluster.Contracts.Protocol.Mesh;

namespace Cluster.Cli.Commands;

/// <summary><c>load</c> and <c>unload</c> for models of the repository, <c>register</c> and <c>unregister</c> for models beside it.</summary>
internal static class ModelCommands
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    public static Command CreateLoad(Verbs verbs)
    {
        var model = new Argument<string>("MODEL");
        var wait = new Option<bool>("--wait") { Description = "Wait until the gateway answers requests for it" };
        var command = verbs.Create("load", "Loads a model as its folder holds it now, and answers when that is done; needs manage.", async (session, parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(model);
            var answer = await session.Client.PostAsync(Paths.Load(name), null, cancellationToken);
            if (parsed.GetValue(wait))
            {
                await UntilReadyAsync(session, name, cancellationToken);
            }

            return session.Output.Done(answer, $"model '{name}' is loaded");
        });
        command.Arguments.Add(model);
        command.Options.Add(wait);
        return command;
    }

    public static Command CreateUnload(Verbs verbs)
    {
        var model = new Argument<string>("MODEL");
        var command = verbs.Create("unload", "Unloads a model; needs manage.", async (session, parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(model);
            var answer = await session.Client.PostAsync(Paths.Unload(name), null, cancellationToken);
            return session.Output.Done(answer, $"model '{name}' is unloaded");
        });
        command.Arguments.Add(model);
        return command;
    }

    public static Command CreateRegister(Verbs verbs)
    {
        var model = new Argument<string>("MODEL");
        var path = new Option<string>("--path") { Required = true, HelpName = "PATH", Description = "A .onnx file or a folder, relative to the server's folder of registered models" };
        var type = new Option<string>("--type") { HelpName = "TYPE", Description = "onnx, mt:onnx or rt:NAME", DefaultValueFactory = static _ => ModelManifest.DefaultType };
        var settings = new Option<string?>("--settings") { HelpName = "FILE", Description = "Settings in the form of a model.json, JSON or YAML" };
        var load = new Option<bool>("--load") { Description = "Load it now; else its first request does" };
        var wait = new Option<bool>("--wait") { Description = "Load it now, and wait until that has succeeded or failed" };
        var command = verbs.Create("register", "Registers a model; the same again is no change; needs manage.", async (session, parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(model);
            var request = new RegisterModelRequest
            {
                ModelId = name,
                ModelInfo = new ModelInfo
                {
                    Type = parsed.GetRequiredValue(type),
                    Path = parsed.GetRequiredValue(path),
                    Key = parsed.GetValue(settings) is { } file ? DocumentFile.Read(file)?.ToJsonString() ?? "" : "",
                },
                LoadNow = parsed.GetValue(load) || parsed.GetValue(wait),
                Sync = parsed.GetValue(wait),
            };
            var status = await session.Client.CallAsync(session.Client.Models.registerModelAsync(request, cancellationToken: cancellationToken));
            ModelStates.DemandLoadable(name, status);
            return session.Output.Done(status.ToJson(), $"model '{name}' is registered, {ModelStates.Words(status)}");
        });
        command.Arguments.Add(model);
        foreach (var option in new Option[] { path, type, settings, load, wait })
        {
            command.Options.Add(option);
        }

        return command;
    }

    public static Command CreateUnregister(Verbs verbs)
    {
        var model = new Argument<string>("MODEL");
        var command = verbs.Create("unregister", "Removes a model that was registered; needs manage.", async (session, parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(model);
            var answer = await session.Client.CallAsync(session.Client.Models.unregisterModelAsync(new UnregisterModelRequest { ModelId = name }, cancellationToken: cancellationToken));
            return session.Output.Done(answer.ToJson(), $"model '{name}' is registered no more");
        });
        command.Arguments.Add(model);
        return command;
    }

    private static async Task UntilReadyAsync(Session session, string model, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Look, session.Surroundings.Time);
        while (!await session.Client.IsReadyAsync(Paths.Model(model) + "/ready", cancellationToken))
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
