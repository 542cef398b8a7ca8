using Microsoft.Extensions.Logging;

namespace Cluster.Grains;

/// <summary>Log messages of the grains. Event ids 2100–2199, 2260–2299 and 2310–2319; 2000–2049 are the repository's.</summary>
internal static partial class Log
{
    [LoggerMessage(2100, LogLevel.Information,
        "Loaded {Model} version {Version} replica {Replica} in {Milliseconds} ms on {Provider}: {Concurrency} at once, {Threads} threads each")]
    public static partial void Loaded(ILogger logger, string model, long version, int replica, double milliseconds, string provider, int concurrency, int threads);

    [LoggerMessage(2101, LogLevel.Error, "Loading {Model} version {Version} replica {Replica} failed after {Milliseconds} ms: {Reason}")]
    public static partial void LoadFailed(ILogger logger, string model, long version, int replica, double milliseconds, string reason);

    [LoggerMessage(2102, LogLevel.Information, "Unloaded {Model} version {Version} replica {Replica}: {Reason}")]
    public static partial void Unloaded(ILogger logger, string model, long version, int replica, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "Loaded {Model} version {Version} on the CPU provider: {Reason}")]
    public static partial void ProviderFellBack(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2109, LogLevel.Warning, "Loaded {Model} version {Version} without some of its outputs: {Outputs}")]
    public static partial void OutputsNotServed(ILogger logger, string model, long version, string outputs);

    [LoggerMessage(2104, LogLevel.Warning,
        "{Model} version {Version} gives outputs of other shapes than it declares ({Reason}); its outputs are copied from now on")]
    public static partial void DeclaredShapeIsWrong(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2105, LogLevel.Warning, "{Model} version {Version} failed while running, and {HeldBack} times so since the last line: {Reason}")]
    public static partial void RunFailed(ILogger logger, string model, long version, long heldBack, string reason);

    [LoggerMessage(2106, LogLevel.Error, "{Model} version {Version}: a request ended with an unexpected error, and {HeldBack} so since the last line")]
    public static partial void UnexpectedError(ILogger logger, Exception exception, string model, long version, long heldBack);

    [LoggerMessage(2107, LogLevel.Error, "ONNX Runtime [{Session}] {Location}, and {HeldBack} times since the last line: {Message}")]
    public static partial void OnnxRuntimeError(ILogger logger, string session, string location, long heldBack, string message);

    [LoggerMessage(2108, LogLevel.Debug, "ONNX Runtime [{Session}] {Location}: {Message}")]
    public static partial void OnnxRuntimeMessage(ILogger logger, string session, string location, string message);

    [LoggerMessage(2110, LogLevel.Information, "Version {Version} of {Model} serves as replica {Replicas}")]
    public static partial void Serves(ILogger logger, long version, string model, string replicas);

    [LoggerMessage(2111, LogLevel.Error, "New content of {Model} version {Version} did not load, and the former content serves on: {Reason}")]
    public static partial void OldContentStays(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2112, LogLevel.Error, "Did not change {Model}: {Problem}")]
    public static partial void RegistrationProblem(ILogger logger, string model, string problem);

    [LoggerMessage(2120, LogLevel.Information, "Evicted {Replica} ({Bytes} bytes, unused for {Seconds} s) to load {By}")]
    public static partial void Evicts(ILogger logger, string replica, long bytes, double seconds, string by);

    [LoggerMessage(2121, LogLevel.Information, "Version {Version} of {Model} was not loaded, as no room was left; its first request loads it")]
    public static partial void ServesOnDemand(ILogger logger, long version, string model);

    [LoggerMessage(2122, LogLevel.Debug, "No room for {Model} version {Version}, {Bytes} bytes: {Reason}; another try in {Milliseconds} ms")]
    public static partial void NoRoom(ILogger logger, string model, long version, long bytes, Cache.CacheRefusal reason, double milliseconds);

    [LoggerMessage(2123, LogLevel.Warning, "{Replica} took {Bytes} bytes, {Predicted} were predicted: {Deficit} bytes over the capacity until others have gone")]
    public static partial void OverCapacity(ILogger logger, string replica, long bytes, long predicted, long deficit);

    [LoggerMessage(2124, LogLevel.Warning, "{Replica} got no room for its {Bytes} bytes in {Seconds} s: unloads did not finish")]
    public static partial void NoRoomInTime(ILogger logger, string replica, long bytes, double seconds);

    [LoggerMessage(2125, LogLevel.Error, "Version {Version} of {Model} was loaded on demand and failed; it is tried again in {Seconds} s: {Reason}")]
    public static partial void FailedOnDemand(ILogger logger, long version, string model, double seconds, string reason);

    [LoggerMessage(2126, LogLevel.Debug, "{Replica} could not tell what became of it: {Reason}")]
    public static partial void NotTold(ILogger logger, string replica, string reason);

    [LoggerMessage(2127, LogLevel.Warning, "New content of {Model} version {Version} got no room, and is tried again in {Seconds} s: {Reason}")]
    public static partial void ReplacementWaits(ILogger logger, string model, long version, double seconds, string reason);

    [LoggerMessage(2150, LogLevel.Information, "Version {Version} of {Model} got further replicas: {Replicas}")]
    public static partial void ReplicasAdded(ILogger logger, long version, string model, string replicas);

    [LoggerMessage(2151, LogLevel.Information, "Version {Version} of {Model} gave up replica {Replica}")]
    public static partial void ReplicaRemoved(ILogger logger, long version, string model, int replica);

    [LoggerMessage(2152, LogLevel.Information, "Replaced replica {Replica} of version {Version} of {Model}, as {Silo} leaves")]
    public static partial void ReplicaMoved(ILogger logger, long version, string model, int replica, string silo);

    [LoggerMessage(2153, LogLevel.Warning, "Replica {Replica} of version {Version} of {Model} stayed on {Silo}, which leaves, as no other silo took it")]
    public static partial void ReplicaStays(ILogger logger, long version, string model, int replica, string silo);

    [LoggerMessage(2154, LogLevel.Warning, "Version {Version} of {Model} got no further replica: {Reason}")]
    public static partial void NotAdded(ILogger logger, long version, string model, string reason);

    [LoggerMessage(2155, LogLevel.Warning, "Version {Version} of {Model} failed to load on {Silo} and was left to another silo: {Reason}")]
    public static partial void FailureMoved(ILogger logger, long version, string model, string silo, string reason);

    [LoggerMessage(2156, LogLevel.Warning, "{Model} has lost {Count} replicas with {Silos}")]
    public static partial void ReplicasLost(ILogger logger, string model, int count, string silos);

    [LoggerMessage(2172, LogLevel.Error, "Quarantined {Model} version {Version}: {Cause} took down {Silos}")]
    public static partial void Quarantined(ILogger logger, string model, long version, string cause, string silos);

    [LoggerMessage(2157, LogLevel.Warning, "Version {Version} of {Model} was not loaded again: {Reason}")]
    public static partial void NotReloaded(ILogger logger, long version, string model, string reason);

    [LoggerMessage(2158, LogLevel.Information, "Scaled version {Version} of {Model}: {Add} replicas more, {Remove} fewer: {Reason}")]
    public static partial void Scales(ILogger logger, long version, string model, int add, int remove, string reason);

    [LoggerMessage(2159, LogLevel.Warning, "Could not carry out what follows from a change of {Model}: {Reason}")]
    public static partial void NotCarriedOut(ILogger logger, string model, string reason);

    [LoggerMessage(2160, LogLevel.Information, "Began to leave the cluster: {Count} models have replicas here")]
    public static partial void DrainBegins(ILogger logger, int count);

    [LoggerMessage(2161, LogLevel.Information, "Left the cluster: {Done} of {Count} models were moved, in {Seconds} s")]
    public static partial void DrainEnds(ILogger logger, int done, int count, double seconds);

    [LoggerMessage(2162, LogLevel.Warning, "Replicas of {Model} could not be moved: {Reason}")]
    public static partial void DrainFailed(ILogger logger, string model, string reason);

    [LoggerMessage(2163, LogLevel.Warning, "Lost silos {Silos}; {Count} models had replicas there")]
    public static partial void SilosLost(ILogger logger, string silos, int count);

    [LoggerMessage(2164, LogLevel.Warning, "{Model} could not be told of lost silos: {Reason}")]
    public static partial void LossNotTold(ILogger logger, string model, string reason);

    [LoggerMessage(2165, LogLevel.Information, "Began to load {Count} models ahead of their next request, most recently used first")]
    public static partial void LoadsAhead(ILogger logger, int count);

    [LoggerMessage(2166, LogLevel.Debug, "{Model} was not loaded ahead: {Reason}")]
    public static partial void NotLoadedAhead(ILogger logger, string model, string reason);

    [LoggerMessage(2167, LogLevel.Information, "Ended {Replica}: its model did not want it any more")]
    public static partial void EndsOrphan(ILogger logger, string replica);

    [LoggerMessage(2168, LogLevel.Error, "A round over the cluster failed and the next one goes on")]
    public static partial void CaretakerFailed(ILogger logger, Exception exception);

    [LoggerMessage(2171, LogLevel.Debug, "Could not tell the controller of membership {Version}: {Reason}")]
    public static partial void ControllerNotTold(ILogger logger, string version, string reason);

    [LoggerMessage(2169, LogLevel.Debug, "{Replica} could not report its load: {Reason}")]
    public static partial void LoadNotReported(ILogger logger, string replica, string reason);

    [LoggerMessage(2174, LogLevel.Warning, "Could not keep compiled graphs of {Model} version {Version}: {Reason}")]
    public static partial void CannotKeepGraphs(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2173, LogLevel.Warning, "Could not remove a compiled graph that is not needed: {Reason}")]
    public static partial void CompiledGraphStays(ILogger logger, string reason);

    [LoggerMessage(2175, LogLevel.Debug, "{Model} version {Version} was not warmed up: {Reason}")]
    public static partial void NotWarmedUp(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2280, LogLevel.Warning, "{Model} version {Version} was not warmed up with its warmup.json: {Reason}")]
    public static partial void SampleDoesNotFit(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2281, LogLevel.Warning, "Removed {Path}, an optimized graph that was damaged")]
    public static partial void GraphIsDamaged(ILogger logger, string path);

    [LoggerMessage(2282, LogLevel.Debug, "Optimized graph {Path} was not used: {Reason}")]
    public static partial void GraphNotRead(ILogger logger, string path, string reason);

    [LoggerMessage(2283, LogLevel.Information, "Kept the optimized graph of {Model} version {Version}: {Bytes} bytes")]
    public static partial void GraphKept(ILogger logger, string model, long version, long bytes);

    [LoggerMessage(2284, LogLevel.Information, "Kept no optimized graph of {Model} version {Version}: {Reason}")]
    public static partial void GraphNotKept(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2285, LogLevel.Debug, "{Model} version {Version} was opened from its optimized graph")]
    public static partial void GraphUsed(ILogger logger, string model, long version);

    [LoggerMessage(2176, LogLevel.Information, "Opened a session of {Threads} threads ({Bytes} bytes) for requests that are alone at {Model} version {Version} replica {Replica}")]
    public static partial void SoloAdded(ILogger logger, string model, long version, int replica, int threads, long bytes);

    [LoggerMessage(2177, LogLevel.Information, "{Model} version {Version} replica {Replica} got no session for requests that are alone: {Reason}")]
    public static partial void SoloNotAdded(ILogger logger, string model, long version, int replica, string reason);

    [LoggerMessage(2178, LogLevel.Warning, "{Model} version {Version} ended batching, and runs each request by itself: {Reason}")]
    public static partial void BatchesAreWrong(ILogger logger, string model, long version, string reason);

    [LoggerMessage(2179, LogLevel.Debug, "{Silo} was not asked what it does: {Reason}")]
    public static partial void SiloNotAsked(ILogger logger, string silo, string reason);

    [LoggerMessage(2260, LogLevel.Information, "Began to drain this silo for an operator: {Count} models have replicas here")]
    public static partial void DrainAsked(ILogger logger, int count);

    [LoggerMessage(2261, LogLevel.Information, "Drained this silo as asked: it has no replica left")]
    public static partial void DrainedAsAsked(ILogger logger);

    [LoggerMessage(2262, LogLevel.Information, "Ended the drain of this silo, which takes replicas again")]
    public static partial void DrainCalledOff(ILogger logger);

    [LoggerMessage(2263, LogLevel.Information, "Set replica bounds of {Model}: least {Least}, most {Most}; empty is as its settings say")]
    public static partial void Bounded(ILogger logger, string model, int? least, int? most);

    [LoggerMessage(2310, LogLevel.Warning, "Asked {Count} runs of {Model} version {Version} to end, as they took more than {Seconds} s")]
    public static partial void RunsOverdue(ILogger logger, int count, string model, long version, double seconds);

    [LoggerMessage(2311, LogLevel.Error, "A run of {Model} version {Version} did not end when it was asked to, after {Seconds} s: its slot is lost until it does")]
    public static partial void RunStuck(ILogger logger, string model, long version, double seconds);

    [LoggerMessage(2312, LogLevel.Error, "Gave up {Model} version {Version} replica {Replica}: runs that do not end have all its slots; its memory stays taken until they do")]
    public static partial void GaveUpStuck(ILogger logger, string model, long version, int replica);

    [LoggerMessage(2313, LogLevel.Error, "Quarantined {Model} version {Version}: runs did not end in replicas on {Silos}")]
    public static partial void QuarantinedStuck(ILogger logger, string model, long version, string silos);

    [LoggerMessage(2170, LogLevel.Error, "A round over this silo's replicas failed and the next one goes on")]
    public static partial void RoundFailed(ILogger logger, Exception exception);
}
