namespace Cluster.Runtime;

/// <summary>What stands in front of a call's arguments.</summary>
/// <param name="Method">Its number on the wire.</param>
/// <param name="TimeLeft">Until the caller gives up; infinite if it never does.</param>
/// <param name="MayPlace">Where the grain is active nowhere, this silo chooses its place; otherwise the caller has, and it is here.</param>
internal readonly record struct CallPreamble(ulong Method, TimeSpan TimeLeft, bool MayPlace, GrainId Target);
