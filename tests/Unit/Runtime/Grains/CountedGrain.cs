namespace Cluster.Unit.Runtime.Grains;

[Reentrant]
internal sealed class CountedGrain(TestProbe probe) : Grain, ICountedGrain
{
    public async Task<CountedPayload> Echo(CountedPayload payload, bool same, bool wait, CancellationToken cancellationToken)
    {
        if (wait)
        {
            // Deliberately deaf to the token: it may answer long after the caller has gone.
            probe.Record("start");
            await probe.Reached("release");
        }

        if (same)
        {
            return payload;
        }

        var answer = new CountedPayload(payload.Bytes.Length);
        payload.Bytes.CopyTo(answer.Bytes, 0);
        return answer;
    }

    public Task<CountedPayload> Fail(CountedPayload payload) => throw new InvalidOperationException("no");
}
