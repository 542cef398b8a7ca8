using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Cluster.Grains.Cluster;
using Cluster.Grains.Repository;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Repository;

/// <summary>Compares this silo's repository with what the controller's silo handed over, and tells when it differs and when it agrees again.</summary>
internal sealed class RepositoryComparison(IModelRepository repository, RepositoryStanding standing, IGrainFactory grains, ILogger<RepositoryComparison> logger)
{
    /// <summary>Models that a text names; of the rest it gives the number.</summary>
    private const int Named = 5;

    /// <summary>Looks without an answer, some seconds, after which this silo takes part as it is: a controller of an older version has no answer.</summary>
    private const int MaxUnanswered = 20;

    private int _unanswered;

    /// <summary>A few names, for a text.</summary>
    public static string Some(IReadOnlyCollection<string> models) =>
        $"{string.Join(", ", models.Take(Named).Select(static model => $"'{model}'"))}{(models.Count > Named ? $" and {models.Count - Named} more" : "")}";

    /// <summary>Does nothing once the repository agrees, and while there is no controller to compare with.</summary>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        if (standing.Agrees || await HandedOverAsync(cancellationToken).ConfigureAwait(false) is not { } served)
        {
            return;
        }

        await repository.RefreshAsync(null, cancellationToken).ConfigureAwait(false);
        var models = repository.Scan().Models;
        var other = served.Where(model => RepositoryVote.Fingerprint(models.GetValueOrDefault(model.Key)) != model.Value).Select(model => model.Key).Order(StringComparer.Ordinal).ToList();
        Judge(other.Count == 0 ? null : $"of the {served.Count} models that the cluster serves it lacks, or holds with other content, {Some(other)}");
    }

    /// <param name="problem">Null: the repository agrees.</param>
    public void Judge(string? problem)
    {
        var disagreed = standing.Problem is not null;
        if (!standing.Set(problem))
        {
            return;
        }

        if (problem is not null)
        {
            Log.RepositoryDisagrees(logger, problem);
        }
        else if (disagreed)
        {
            Log.RepositoryAgrees(logger);
        }
    }

    private async Task<ImmutableDictionary<string, string>?> HandedOverAsync(CancellationToken cancellationToken)
    {
        try
        {
            var controller = grains.GetGrain<IControllerGrain>(IControllerGrain.Key);
            return await controller.GetFingerprintsAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // There is none now, or it cannot say; the next look asks again.
            Log.NotCompared(logger, exception.Message);
            return ++_unanswered >= MaxUnanswered ? ImmutableDictionary<string, string>.Empty : null;
        }
    }
}

/// <summary>What the meter "Cluster.Repository" tells.</summary>
internal sealed class RepositoryMetrics
{
    public const string MeterName = "Cluster.Repository";

    public RepositoryMetrics(IMeterFactory meters, RepositoryStanding standing)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.repository.agrees", () => standing.Problem is null ? 1 : 0, unit: null, "0 if this silo's repository lacks, or holds otherwise, what the cluster serves");
    }
}
