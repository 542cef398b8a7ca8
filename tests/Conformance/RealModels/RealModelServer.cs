using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.RealModels;

/// <summary>One server with every real model that this machine has, and a client for each protocol.</summary>
public sealed class RealModelServer : IAsyncLifetime
{
    private readonly ModelFolder _models = ModelFolder.Create();
    private ServerProcess? _server;

    public ServerProcess Server => _server ?? throw new InvalidOperationException("not started");

    /// <summary>Name and client of each protocol.</summary>
    public IReadOnlyList<(string Name, IInferClient Client)> Clients { get; private set; } = [];

    public static string PathOf(string file) => Path.Combine(Requires.SharedModels(), file);

    public async ValueTask InitializeAsync()
    {
        _models.Add(Path.Combine(TestPaths.DemoModels, "digits"));
        if (TestPaths.SharedModels is not null)
        {
            foreach (var name in new[] { "silero_vad", "mnist", "light_resnet50", "light_squeezenet" })
            {
                _models.AddVersion(name, 1, PathOf(name + ".onnx"));
            }
        }

        _server = await ServerProcess.StartAsync("--models", _models.Path);
        Clients = [("gRPC raw", new GrpcInferClient(Server.GrpcTarget)), ("REST binary", new RestInferClient(Server.HttpUrl))];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, client) in Clients)
        {
            client.Dispose();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _models.Dispose();
    }
}
