namespace Cluster.Grains.Scaling;

/// <summary>What one replica has to do.</summary>
/// <param name="Copy">Its number.</param>
/// <param name="RequestsPerMinute">In the latest interval.</param>
/// <param name="Waiting">Requests in its queue.</param>
/// <param name="Idle">Since its last use; zero while it is used.</param>
/// <param name="LoadedFor">Since it was loaded; null while it loads.</param>
/// <param name="MeanRunTime">Of one request.</param>
/// <param name="Samples">Runs that <paramref name="MeanRunTime"/> is of.</param>
/// <param name="Concurrency">Requests that it runs at once, at least 1.</param>
public readonly record struct ReplicaUtilization(
    int Copy, double RequestsPerMinute, int Waiting, TimeSpan Idle, TimeSpan? LoadedFor, TimeSpan MeanRunTime, int Samples, int Concurrency);
