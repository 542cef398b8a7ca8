using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Unit.Runtime.Grains;

internal sealed class WireGrain(ILocalSiloDetails silo, TestProbe probe) : Grain, IWireGrain
{
    public Task<WireValues> Echo(WireValues values) => Task.FromResult(values);

    public Task<ImmutableArray<string>> Join(
        string text, int? number, WireColor color, TimeSpan span, DateTimeOffset time, (string, long) pair, string[] items, ImmutableDictionary<string, int> counts) =>
        Task.FromResult<ImmutableArray<string>>(
        [
            text,
            number?.ToString(CultureInfo.InvariantCulture) ?? "none",
            color.ToString(),
            span.ToString(),
            time.ToString("O", CultureInfo.InvariantCulture),
            pair.ToString(),
            string.Join('+', items),
            string.Join('+', counts.Select(static pair => $"{pair.Key}={pair.Value}")),
        ]);

    public Task<string> Silo() => Task.FromResult(silo.SiloAddress.ToParsableString());

    public async ValueTask<InferReply> Infer(InferRequest request, CancellationToken cancellationToken)
    {
        if (request.Message.Length == 0)
        {
            return InferReply.Failed(Failure.Exhausted("empty", TimeSpan.FromSeconds(3)));
        }

        // The first byte names the signal that the answer waits for; 0 waits for none.
        if (request.Message.Span[0] is var name and > 0)
        {
            probe.Record($"start {name}");
            await probe.Reached($"release {name}").WaitAsync(cancellationToken);
        }

        return InferReply.Success(PayloadBuffer.CopyOf(request.Message.Span));
    }

    public Task<InferReply> Return(InferRequest request) => Task.FromResult(InferReply.Success(request.Message));

    public Task Refuse(string message) => throw new ServingException(Failure.Exhausted(message, TimeSpan.FromSeconds(7)));

    public Task Throw(string message) => throw new ArgumentException(message);
}
