namespace Cluster.Runtime;

/// <summary>How a call ended. The numbers are part of the protocol.</summary>
internal enum ResponseKind : byte
{
    Result = 0,
    Error = 1,

    /// <summary>The grain is elsewhere; it has not run the call.</summary>
    Redirect = 2,

    /// <summary>The silo does not run the call, because it stops or has too much to do; reads as an error.</summary>
    Refused = 3,
}
