namespace Cluster.Bench.Silos;

/// <summary>First requests for models that nobody holds. Times in milliseconds.</summary>
/// <param name="FirstMedian">Of the first request of each model.</param>
/// <param name="WarmMedian">Of the requests after that.</param>
/// <param name="AddedMedian">Median, over the models, of the first request's time less that of a warm one.</param>
/// <param name="InProcessMedian">What ONNX Runtime takes in this process to load the same file and run it once.</param>
internal sealed record ColdReport(
    string Model,
    int Loads,
    double FirstMedian,
    double WarmMedian,
    double AddedMedian,
    double AddedLeast,
    double AddedMost,
    double InProcessMedian,
    double OthersPercent,
    long Failures,
    string? FirstFailure);
