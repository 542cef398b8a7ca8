using Xunit;

namespace Cluster.Unit.Gateway.Grpc;

[CollectionDefinition(nameof(AllocationCollection), DisableParallelization = true)]
public sealed class AllocationCollection;
