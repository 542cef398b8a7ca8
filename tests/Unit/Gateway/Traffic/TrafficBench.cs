using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Registry;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Google.Protobuf;

namespace Cluster.Unit.Gateway.Traffic;

/// <summary>A gateway with alias <c>a</c> of model <c>old</c>, whose candidate is <c>new</c>; replicas answer with their model's number, 1 and 2.</summary>
internal sealed class TrafficBench : IDisposable
{
    private readonly List<PayloadBuffer> _buffers = [];
    private long _revision;

    public TrafficBench()
    {
        Routing = new Routing(new FakeHealth { IsAlone = true });
        Routing.Grains.Alias = new FakeAlias("a", Routing.Aliases);
        Routing.States.Publish(States.Model("old", States.Ready(2), States.Ready(1)));
        Routing.States.Publish(States.Model("new", States.Ready(7), States.Ready(3)));
        foreach (var (replica, number) in new[] { ("old/1/0", 1f), ("old/2/0", 1f), ("new/3/0", 2f), ("new/7/0", 2f) })
        {
            Routing.Grains.Replica(replica).Infer = (_, _) => ValueTask.FromResult(InferReply.Success(Answer(number)));
        }
    }

    public Routing Routing { get; }

    public FakeAlias Alias => Routing.Grains.Alias!;

    public FakeReplica Old => Routing.Grains.Replica("old/2/0");

    public FakeReplica New => Routing.Grains.Replica("new/7/0");

    public ManualTimeProvider Time => Routing.Time;

    public LiveRule Rule => Routing.Traffic.Find("a")!;

    /// <summary>The state of the alias's rule.</summary>
    public TrafficState State => Routing.Aliases.TryGet("a", out var state) ? state.Traffic! : throw new InvalidOperationException("there is no such alias");

    /// <summary>Whether every request and answer is back in the pool.</summary>
    public bool AllGivenBack
    {
        get
        {
            lock (_buffers)
            {
                return _buffers.TrueForAll(static buffer => IsGivenBack(buffer));
            }
        }
    }

    /// <summary>Gives the alias a rule, of the next revision, whose candidate is loaded.</summary>
    public void Set(TrafficRule rule) => Publish(new TrafficState(rule, ++_revision, Loaded: true));

    public void Publish(TrafficState? traffic) => Routing.Aliases.Publish(new AliasState("a", null, "old", "old", Traffic: traffic));

    /// <summary>An answer that is watched.</summary>
    public PayloadBuffer Answer(float number)
    {
        var response = new ModelInferResponse { Outputs = { new ModelInferResponse.Types.InferOutputTensor { Name = "Y", Datatype = "FP32", Shape = { 1L } } } };
        response.RawOutputContents.Add(ByteString.CopyFrom(BitConverter.GetBytes(number)));
        return Watched(response.ToByteArray());
    }

    /// <summary>Sends a request and gives its answer back.</summary>
    /// <returns>The number of the model that answered, or the failure.</returns>
    public async Task<(float Number, InferReply Reply)> AskAsync(
        string? sticky = null, string id = "", string version = "", TimeSpan? timeout = null, int padding = 0, CancellationToken cancellationToken = default)
    {
        var target = Routing.Names.Resolve("a", default(ModelHeader));
        var request = new ModelInferRequest { ModelName = "a", Id = id };
        if (padding > 0)
        {
            request.RawInputContents.Add(ByteString.CopyFrom(new byte[padding]));
        }

        var call = new InferCall(target.Model, version, Watched(request.ToByteArray()), Protocol.Grpc, timeout) { Alias = target.Alias, Caller = Caller.Anyone };
        var reply = target.Ticket is { } ticket
            ? (await Routing.Router.InferAsync(call, ticket with { Sticky = sticky }, cancellationToken)).Reply
            : (await Routing.Dispatcher.InferAsync(call, cancellationToken)).Reply;
        using var answer = reply.Message;
        return (answer is null ? 0 : BitConverter.ToSingle(ModelInferResponse.Parser.ParseFrom(answer.Span).RawOutputContents[0].Span), reply);
    }

    public void Dispose() => Routing.Dispose();

    private static bool IsGivenBack(PayloadBuffer buffer)
    {
        try
        {
            _ = buffer.Memory;
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private PayloadBuffer Watched(byte[] bytes)
    {
        var buffer = PayloadBuffer.CopyOf(bytes);
        lock (_buffers)
        {
            _buffers.Add(buffer);
        }

        return buffer;
    }
}
