using System.Globalization;

namespace Cluster.Runtime;

/// <summary>An entry of the directory as it is stored: <c>silo|activation|epoch|membership version</c>.</summary>
internal static class DirectoryEntryText
{
    public static string Write(GrainAddress address) =>
        string.Create(CultureInfo.InvariantCulture, $"{WriteActivation(address)}|{address.LoadEpoch}|{address.MembershipVersion.Value}");

    /// <summary>The part that names the activation.</summary>
    public static string WriteActivation(GrainAddress address) => $"{address.SiloAddress!.ToParsableString()}|{address.ActivationId.ToParsableString()}";

    /// <exception cref="FormatException">It is not an entry.</exception>
    public static GrainAddress Read(GrainId grain, string text)
    {
        var parts = text.Split('|');
        if (parts.Length != 4
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(parts[3], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var version))
        {
            throw new FormatException($"'{text}' is not a directory entry; expected silo|activation|epoch|version");
        }

        return new GrainAddress
        {
            GrainId = grain,
            SiloAddress = SiloAddress.FromParsableString(parts[0]),
            ActivationId = ActivationId.FromParsableString(parts[1]),
            LoadEpoch = epoch,
            MembershipVersion = new MembershipVersion(version),
        };
    }
}
