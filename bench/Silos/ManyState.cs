namespace Cluster.Bench.Silos;

/// <summary>What a number of registered models takes. Times in seconds, memory (resident) in MiB.</summary>
/// <param name="RegisterSeconds">All calls of registerModel.</param>
/// <param name="IdlePercent">What all processes take of one processor while nobody asks.</param>
/// <param name="ReadySeconds">From the start of one more gateway process until it says that it is ready.</param>
/// <param name="GatewaySeconds">The same, until it has answered a request for a registered model.</param>
/// <param name="SiloSeconds">From the start of one more silo process until it is ready and a member.</param>
/// <param name="GatewayMib">Of the gateway that the requests went through.</param>
/// <param name="NewGatewayMib">Of the one more, which has seen no registration.</param>
/// <param name="Failures">Requests that the one more gateway refused between the two, although it said that it was ready.</param>
internal sealed record ManyState(
    int Models,
    double RegisterSeconds,
    double IdlePercent,
    double ReadySeconds,
    double GatewaySeconds,
    double SiloSeconds,
    double GatewayMib,
    double SiloMib,
    double NewGatewayMib,
    long Failures,
    string? FirstFailure);
