namespace Cluster.Grains.Models;

/// <summary>How a model's copies are kept over several silos. Defaults are ModelMesh's where it has the like.</summary>
public sealed class CopyOptions
{
    /// <summary>Silos that a content is tried on, 1 to 100, default 3 (ModelMesh: MAX_LOAD_FAILURES). More survives more broken silos, and loads broken content more often.</summary>
    public int MaxFailedSilos { get; set; } = 3;

    /// <summary>Calls for one load, refusals and lost silos included, before it is given up for now; 1 to 100, default 8 (ModelMesh: MAX_ITERATIONS).</summary>
    public int MaxLoadTries { get; set; } = 8;

    /// <summary>How long a copy that failed waits for its model's word on another silo, 1 ms to 1 min. Default 5 s. Nobody answering ends its load with its own failure.</summary>
    public TimeSpan FailureAnswerTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A use no longer ago counts as use now. Default 3 min (ModelMesh: the window of recent use).</summary>
    public TimeSpan InUse { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>Share of the failure memory that counts for what is in use, 0 to 1. Default 0.5 (ModelMesh: 7.5 of 15 min).</summary>
    public double InUseFailureMemory { get; set; } = 0.5;

    /// <summary>Copies used no longer ago than this are replaced when their silo goes, the others wait for their next request. Default 60 min (ModelMesh: CUTOFF_AGE).</summary>
    public TimeSpan UsedLately { get; set; } = TimeSpan.FromMinutes(60);

    /// <summary>How late the time of the last use may be kept, 1 s to 1 h. Default 5 min. Shorter writes more often, longer forgets more if the grain's silo dies.</summary>
    public TimeSpan UseKeptEvery { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>After this without a report a copy counts as idle. Default 30 s, three reports.</summary>
    public TimeSpan LoadReportLife { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Every mistake in the options, empty if there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (MaxFailedSilos is < 1 or > 100)
        {
            yield return $"silos to try must be 1 to 100, got {MaxFailedSilos}";
        }

        if (MaxLoadTries is < 1 or > 100)
        {
            yield return $"tries of a load must be 1 to 100, got {MaxLoadTries}";
        }

        if (FailureAnswerTimeout < TimeSpan.FromMilliseconds(1) || FailureAnswerTimeout > TimeSpan.FromMinutes(1))
        {
            yield return $"failure answer timeout must be 1 ms to 1 min, got {FailureAnswerTimeout}";
        }

        if (InUseFailureMemory is not (>= 0 and <= 1))
        {
            yield return $"share of the failure memory in use must be 0 to 1, got {InUseFailureMemory}";
        }

        if (UseKeptEvery < TimeSpan.FromSeconds(1) || UseKeptEvery > TimeSpan.FromHours(1))
        {
            yield return $"keeping of uses must be every 1 s to 1 h, got {UseKeptEvery}";
        }

        if (InUse < TimeSpan.Zero || UsedLately < TimeSpan.Zero || LoadReportLife <= TimeSpan.Zero)
        {
            yield return $"times of use must not be negative, got {InUse}, {UsedLately} and {LoadReportLife}";
        }
    }
}
