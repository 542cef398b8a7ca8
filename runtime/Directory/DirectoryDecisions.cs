namespace Cluster.Runtime;

/// <summary>
/// The rules of the directory, for one grain, as pure functions: the directory in memory and the exhaustive model of the protocol use
/// them, and the scripts of the one in Redis say the same in Lua.
/// </summary>
internal static class DirectoryDecisions
{
    /// <summary>Load epochs for each version of the membership.</summary>
    public const long EpochsPerVersion = 1L << 30;

    /// <summary>
    /// The next load epoch. It grows with the membership's version too, which goes on after Redis has lost its data, whereas
    /// the counter starts anew.
    /// </summary>
    public static long NextEpoch(long counter, long version) => Math.Max(counter + 1, version * EpochsPerVersion);

    /// <summary>
    /// True if the candidate becomes the entry: nobody is, or the entry's silo is dead, or it is the one that the caller says to replace.
    /// </summary>
    public static bool MayRegister(GrainAddress? current, GrainAddress? previous, Func<SiloAddress, bool> isDead) =>
        current is null || current.Matches(previous) || !IsValid(current, isDead);

    /// <summary>
    /// True if what a silo holds becomes the entry again after the directory was lost: nobody else is, or the entry's silo is dead, or
    /// it has a smaller epoch. False, unless it is the entry: the silo must let go of it.
    /// </summary>
    public static bool MayPutBack(GrainAddress? current, GrainAddress held, Func<SiloAddress, bool> isDead) =>
        current is null || !IsValid(current, isDead) || current.LoadEpoch < held.LoadEpoch;

    /// <summary>True if the entry is this very registration. Without an epoch, whose registration was never confirmed, the activation decides.</summary>
    public static bool MayUnregister(GrainAddress? current, GrainAddress address) =>
        current is not null && current.Matches(address) && (address.LoadEpoch == 0 || address.LoadEpoch == current.LoadEpoch);

    /// <summary>An entry of a dead silo is none.</summary>
    public static bool IsValid(GrainAddress current, Func<SiloAddress, bool> isDead) => current.SiloAddress is { } silo && !isDead(silo);
}
