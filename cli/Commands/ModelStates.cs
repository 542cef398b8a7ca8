using System.Text.Json.Nodes;
using Cluster.Cli.Documents;
using Cluster.Contracts.Protocol.Mesh;
using Google.Protobuf;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Cli.Commands;

/// <summary>States of models and aliases in words, and as failures where they are such.</summary>
internal static class ModelStates
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    public static JsonNode ToJson(this IMessage message) => JsonNode.Parse(Formatter.Format(message))!;

    /// <summary>What a verb that changes something has to say when it is done.</summary>
    public static int Done(this Printer output, JsonNode answer, string words)
    {
        if (output.IsForPeople)
        {
            output.Line(words);
        }
        else
        {
            output.Document(answer);
        }

        return ExitCodes.Done;
    }

    public static string Words(ModelStatusInfo status) => status.Status switch
    {
        Status.NotLoaded => "not loaded before its first request",
        Status.Loading => "loading",
        Status.Loaded => "loaded",
        _ => $"{status.Status}",
    };

    /// <exception cref="CommandFailure">The model does not load.</exception>
    public static void DemandLoadable(string model, ModelStatusInfo status)
    {
        if (status.Status == Status.LoadingFailed)
        {
            throw CommandFailure.Failed($"model '{model}' does not load: {string.Join("; ", status.Errors)}");
        }
    }

    /// <exception cref="CommandFailure">The alias cannot move.</exception>
    public static void DemandMoving(string alias, VModelStatusInfo status)
    {
        if (status.Status == AliasStatus.TransitionFailed)
        {
            throw CommandFailure.Failed(
                $"alias '{alias}' stays with model '{status.ActiveModelId}', as '{status.TargetModelId}' does not load: {string.Join("; ", status.TargetModelStatus?.Errors ?? [])}");
        }
    }
}
