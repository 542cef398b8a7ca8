using System.Collections.Immutable;
using Cluster.Contracts.Inference;

namespace Cluster.Unit.Runtime.Grains;

/// <summary>Calls with everything that can cross from process to process.</summary>
public interface IWireGrain : IGrainWithStringKey
{
    Task<WireValues> Echo(WireValues values);

    Task<ImmutableArray<string>> Join(
        string text, int? number, WireColor color, TimeSpan span, DateTimeOffset time, (string, long) pair, string[] items, ImmutableDictionary<string, int> counts);

    /// <summary>The silo that answers.</summary>
    Task<string> Silo();

    /// <summary>Answers with a copy of the message, or fails if the message is empty.</summary>
    [AlwaysInterleave]
    ValueTask<InferReply> Infer(InferRequest request, CancellationToken cancellationToken);

    /// <summary>Answers with the very message that it was sent.</summary>
    Task<InferReply> Return(InferRequest request);

    /// <summary>Fails as a serving call does.</summary>
    Task Refuse(string message);

    Task Throw(string message);
}
