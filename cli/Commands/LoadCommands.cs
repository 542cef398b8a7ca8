using System.CommandLine;
using Cluster.Cli.Connection;

namespace Cluster.Cli.Commands;

/// <summary><c>load MODEL</c> and <c>unload MODEL</c>, for models of the repository.</summary>
internal static class LoadCommands
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

    private static async Task UntilReadyAsync(Session session, string model, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Look, session.Surroundings.Time);
        while (!await session.Client.IsReadyAsync(Paths.Model(model) + "/ready", cancellationToken))
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
