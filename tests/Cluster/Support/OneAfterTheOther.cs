using Xunit.Sdk;
using Xunit.v3;

// Each test uses a cluster of five or more processes and measures times: two at once would measure each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
