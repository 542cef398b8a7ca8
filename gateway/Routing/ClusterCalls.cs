using System.Runtime.ExceptionServices;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>Calls that any silo can take for the whole cluster. The silo that answered last is asked first.</summary>
/// <param name="manifests">The grain types of each silo; null in tests, where all are of this version.</param>
internal sealed class ClusterCalls(IGrainFactory grains, ControlCalls control, ISiloHealth health, TimeProvider time, IClusterManifestProvider? manifests = null)
{
    private static readonly GrainType View = GrainType.Create(ClusterGrains.ClusterType);

    /// <summary>How long one silo is waited for before another is asked besides: twice what a silo waits for the figures of others.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(1);

    private SiloAddress? _last;

    /// <summary>The first answer of a silo: one that hangs is not waited for.</summary>
    /// <exception cref="ServingException">What the question throws; UNAVAILABLE where no silo answers.</exception>
    public ValueTask<T> AskAsync<T>(Func<IClusterGrain, ValueTask<T>> question, CancellationToken cancellationToken) =>
        control.RunAsync(() => AskEachAsync(question, cancellationToken), cancellationToken);

    /// <summary>What one silo does, which may take long; where it is lost, another does it again.</summary>
    /// <exception cref="ServingException">What the command throws; UNAVAILABLE where no silo can take it.</exception>
    public ValueTask<T> RunAsync<T>(Func<IClusterGrain, ValueTask<T>> command, CancellationToken cancellationToken) =>
        control.RunAsync(() => command(GrainOf(Silos().FirstOrDefault() ?? throw None())), cancellationToken);

    private static SiloUnavailableException None() => new("no silo is a member of the cluster");

    private IEnumerable<SiloAddress> Silos()
    {
        var last = Volatile.Read(ref _last);
        return health.Silos.OrderByDescending(silo => silo.Equals(last));
    }

    private async ValueTask<T> AskEachAsync<T>(Func<IClusterGrain, ValueTask<T>> question, CancellationToken cancellationToken)
    {
        Queue<SiloAddress> silos = new(Silos());
        List<Task<Answer<T>>> asked = [];
        Exception failure = None();
        while (silos.Count > 0 || asked.Count > 0)
        {
            if (silos.TryDequeue(out var next))
            {
                asked.Add(AskAsync(next, question));
            }

            var first = Task.WhenAny(asked);
            var limit = silos.Count > 0 ? MaxWait : Timeout.InfiniteTimeSpan;
            await ((Task)first).WaitAsync(limit, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (first.IsCompleted)
            {
                var ended = await first.ConfigureAwait(false);
                var answer = await ended.ConfigureAwait(false);
                if (answer.Failure is null)
                {
                    Volatile.Write(ref _last, answer.Silo);
                    return answer.Value!;
                }

                asked.Remove(ended);
                failure = answer.Failure;
            }
        }

        ExceptionDispatchInfo.Throw(failure);
        throw failure;
    }

    /// <summary>Never throws: where another silo answered first, a failure is of no interest.</summary>
    private async Task<Answer<T>> AskAsync<T>(SiloAddress silo, Func<IClusterGrain, ValueTask<T>> question)
    {
        try
        {
            return new Answer<T>(silo, await question(GrainOf(silo)).ConfigureAwait(false), null);
        }
        catch (Exception exception)
        {
            return new Answer<T>(silo, default, exception);
        }
    }

    /// <summary>A silo of a version before has the grain under its former type.</summary>
    private IClusterGrain GrainOf(SiloAddress silo) =>
        manifests?.Current.Silos.TryGetValue(silo, out var manifest) == true && !manifest.Grains.ContainsKey(View) ? grains.GetFormerCluster(silo) : grains.GetCluster(silo);

    private sealed record Answer<T>(SiloAddress Silo, T? Value, Exception? Failure);
}
