using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Tests that count the payload buffers of the process: no others run meanwhile.</summary>
[CollectionDefinition(nameof(TransportCollection), DisableParallelization = true)]
public sealed class TransportCollection;
