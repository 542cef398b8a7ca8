using Cluster.Contracts.Protocol.Mesh;

namespace Cluster.Bench.Load;

/// <summary>Registers models through a gateway.</summary>
internal static class Registration
{
    private const string Service = "mmesh.ModelMesh";
    private const string RegisterModel = "registerModel";

    /// <param name="path">Of the model's folder in the repository.</param>
    /// <param name="settings">A model.json; empty for the one in the folder.</param>
    /// <param name="load">Whether to load it now, and wait for that.</param>
    /// <exception cref="InvalidDataException">It cannot be served.</exception>
    public static async Task RegisterAsync(
        this GrpcClient gateway, string model, string path, string settings, bool load, CancellationToken cancellationToken)
    {
        var info = new ModelInfo { Type = "onnx", Path = path, Key = settings };
        var request = new RegisterModelRequest { ModelId = model, ModelInfo = info, LoadNow = load, Sync = load };
        var status = await gateway.CallAsync<RegisterModelRequest, ModelStatusInfo>(Service, RegisterModel, request, cancellationToken);
        if (status.Errors.Count > 0)
        {
            throw new InvalidDataException($"'{model}' cannot be registered: {status.Errors[0]}");
        }
    }
}
