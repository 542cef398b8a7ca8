namespace Cluster.Unit.Runtime.Grains;

public interface ICountedGrain : IGrainWithStringKey
{
    /// <summary>Answers with a copy once "release" is set, or with the payload itself if it is to be the same.</summary>
    Task<CountedPayload> Echo(CountedPayload payload, bool same, bool wait, CancellationToken cancellationToken);

    Task<CountedPayload> Fail(CountedPayload payload);
}
