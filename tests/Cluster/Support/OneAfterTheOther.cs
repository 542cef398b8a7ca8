using Xunit;

// Each test has a cluster of five or more processes and measures times: two at once would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
